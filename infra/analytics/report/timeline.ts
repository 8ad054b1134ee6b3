import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { rowsOf } from './rows.ts';

/** The period of the sessions in an export, divided into days, weeks, months or years. */
export interface Timeline {
  /** The first and the last day (`2026-11-20`). */
  first: string;
  last: string;
  unit: 'day' | 'week' | 'month' | 'year';
  /** The first day of each part, without gaps. */
  parts: readonly string[];
  /** SQL for the first day of the part that contains `day` of `session_facts`. */
  sql: string;
}

const Range = v.object({ first: v.nullable(v.string()), last: v.nullable(v.string()) });

/** The columns of more parts would be too thin to see. */
const MAX_PARTS = 100;

/** In milliseconds. */
export const DAY = 86_400_000;

/** Returns undefined if no session has a plausible start date. */
export async function readTimeline(connection: DuckDBConnection): Promise<Timeline | undefined> {
  const [range] = await rowsOf(
    connection,
    Range,
    'SELECT min(day)::varchar AS first, max(day)::varchar AS last FROM session_facts',
  );
  if (!range?.first || !range.last) return undefined;
  const { first, last } = range;
  const days = (Date.parse(last) - Date.parse(first)) / DAY + 1;
  const unit =
    days <= MAX_PARTS ? 'day' : days <= MAX_PARTS * 7 ? 'week' : days <= MAX_PARTS * 30 ? 'month' : 'year';
  const parts = [];
  for (let part = startOf(new Date(first), unit); part <= new Date(last); part = nextStart(part, unit))
    parts.push(part.toISOString().slice(0, 10));
  return {
    first,
    last,
    unit,
    parts: parts.slice(-MAX_PARTS),
    sql: `coalesce(CAST(CAST(date_trunc('${unit}', day) AS date) AS varchar), '')`,
  };
}

/** The first day of the part that contains a day. Weeks start on Monday, as in DuckDB. */
function startOf(day: Date, unit: Timeline['unit']): Date {
  const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()];
  switch (unit) {
    case 'day':
      return day;
    case 'week':
      return new Date(Date.UTC(year, month, date - ((day.getUTCDay() + 6) % 7)));
    case 'month':
      return new Date(Date.UTC(year, month, 1));
    case 'year':
      return new Date(Date.UTC(year, 0, 1));
  }
}

/** The first day of the next part. */
function nextStart(day: Date, unit: Timeline['unit']): Date {
  const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()];
  switch (unit) {
    case 'day':
      return new Date(Date.UTC(year, month, date + 1));
    case 'week':
      return new Date(Date.UTC(year, month, date + 7));
    case 'month':
      return new Date(Date.UTC(year, month + 1, 1));
    case 'year':
      return new Date(Date.UTC(year + 1, 0, 1));
  }
}

/** The heading of the first days of the parts. */
export const HEADINGS = {
  day: 'Day',
  week: 'Week starting',
  month: 'Month starting',
  year: 'Year starting',
} as const;

const FORMATS = {
  day: { day: 'numeric', month: 'short' },
  week: { day: 'numeric', month: 'short' },
  month: { month: 'short', year: 'numeric' },
  year: { year: 'numeric' },
} as const;

/** A short label of a part for an axis, such as `22 Oct`. */
export function partLabel(part: string, unit: Timeline['unit']): string {
  return new Date(part).toLocaleDateString('en-GB', { timeZone: 'UTC', ...FORMATS[unit] });
}
