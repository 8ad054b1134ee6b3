import * as v from 'valibot';
import type { Card } from './card.ts';
import { lineChart } from './line-chart.ts';
import type { Report } from './report.ts';
import { Count, rowsOf } from './rows.ts';
import { HEADINGS, partLabel } from './timeline.ts';
import { counted } from './wording.ts';

const Part = v.object({ part: v.string(), amount: Count, value: v.number() });

export interface Rate {
  title: string;
  /** What has a value, and is counted. */
  noun: string;
  heading: string;
  /** SQL of the mean, and of the rows that have a value. */
  value: string;
  from: string;
  format: (value: number) => string;
  /** The lowest and the highest possible value. */
  range: readonly [min: number, max: number];
}

/** A mean over time. Returns undefined for a single day, week, month or year, or without values. */
export async function rateOverTime(
  { connection, timeline }: Report,
  { title, noun, heading, value: mean, from, format, range }: Rate,
): Promise<Card | undefined> {
  if (!timeline || timeline.parts.length < 2) return undefined;
  const { parts, unit, sql } = timeline;
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT ${sql} AS part, count(*) AS amount, ${mean} AS value FROM ${from} GROUP BY ALL`,
  );
  const points = parts.map((part) => ({
    part,
    label: partLabel(part, unit),
    row: rows.find((each) => each.part === part),
  }));
  const known = points.flatMap(({ label, row }) => (row ? [{ label, ...row }] : []));
  const [lowest] = known.toSorted((a, b) => a.value - b.value);
  const last = known.at(-1);
  if (!lowest || !last) return undefined;
  return {
    title,
    sentence: `The lowest ${unit} is ${lowest.label} with ${format(lowest.value)}, of ${counted(lowest.amount, noun)}; the last one is ${last.label} with ${format(last.value)}.`,
    figure: lineChart({
      labels: points.map(({ label }) => label),
      values: points.map(({ row }) => row?.value),
      colour: 'blue',
      format,
      range,
      table: {
        caption: `${title}, by ${unit}`,
        columns: [HEADINGS[unit], title, heading],
        rows: points.map(({ part, row }) => [part, row ? format(row.value) : '–', row?.amount ?? 0]),
      },
    }),
  };
}
