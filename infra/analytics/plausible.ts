import type { DefinedColumn } from './view.ts';

const WEEK_SECONDS = 7 * 86_400;

/** The ranges of plausible values. The views leave other values out, so that one of them does not distort a mean. */
const RANGES = {
  mos: [1, 5],
  packet_loss_rate: [0, 1],
  /** In milliseconds. */
  jitter: [0, 60_000],
  call_duration: [0, WEEK_SECONDS],
  ring_seconds: [0, WEEK_SECONDS],
  duration_seconds: [0, WEEK_SECONDS],
  billed_seconds: [0, WEEK_SECONDS],
} as const;
export type PlausibleColumn = keyof typeof RANGES;

/** The condition that an expression has a plausible value for a column. Null if the expression is. */
export function isPlausible(column: PlausibleColumn, sql: string): string {
  const [min, max] = RANGES[column];
  return `${sql} BETWEEN ${min} AND ${max}`;
}

/** The value of an expression, or null if the value is not plausible for a column. */
export function plausible(column: PlausibleColumn, sql: string): string {
  return `CASE WHEN ${isPlausible(column, sql)} THEN ${sql} END`;
}

/**
 * The start of a session, or null if implausible: more than ten years before the summary was received, or more
 * than a day after. One session of the year 9999 would hide all others in a chart.
 */
export const PLAUSIBLE_START =
  "CASE WHEN start_time BETWEEN received_at - INTERVAL '10' YEAR AND received_at + INTERVAL '1' DAY THEN start_time END";

/** Leaves implausible values out of columns, and appends a column with all delivered values for each of them. */
export function withRawColumns(columns: readonly DefinedColumn[]): DefinedColumn[] {
  const isRanged = (name: string): name is PlausibleColumn => name in RANGES;
  return [
    ...columns.map((column): DefinedColumn => {
      const { name, sql } = column;
      return isRanged(name) ? { ...column, sql: (dialect) => plausible(name, sql(dialect)) } : column;
    }),
    ...columns
      .filter(({ name }) => isRanged(name))
      .map((column) => ({
        ...column,
        name: `raw_${column.name}`,
        description: `\`${column.name}\` as delivered, even if implausible`,
      })),
  ];
}
