import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { quoted } from '../dialect.ts';
import { DAY, lackIn, type Period } from './period.ts';
import { rowsOf } from './rows.ts';

/** The time of sessions or charges, divided into days, weeks, months or years. */
export interface Timeline {
  /** The first and the last day (`2026-11-20`). */
  first: string;
  last: string;
  unit: 'day' | 'week' | 'month' | 'year';
  /** The parts, without gaps. */
  parts: readonly Part[];
  /** SQL for the first day of the part that contains `day` of the facts; empty if that is in none. */
  sql: string;
  /** The days that are incomplete. */
  incompleteDays: readonly string[];
  /** Why parts are incomplete, for a note below a chart. Undefined if all are complete. */
  note: string | undefined;
}

export interface Part {
  /** The first day. */
  start: string;
  /** A short label for an axis, such as `22 Oct`; with an asterisk if it is incomplete. */
  label: string;
  /** The same for a table or a sentence: `2026-10-22`, or `2026-10-22 (incomplete)`. */
  name: string;
  isIncomplete: boolean;
}

const Range = v.object({ first: v.nullable(v.string()), last: v.nullable(v.string()) });

/** The columns of more parts would be too thin to see. */
const MAX_PARTS = 100;

/**
 * Divides the time of some rows. Returns undefined if none has a day.
 *
 * @param from The table of the rows, and a condition for those whose `day` is plausible.
 */
export async function readTimeline(
  connection: DuckDBConnection,
  from: string,
  period: Period,
): Promise<Timeline | undefined> {
  const [range] = await rowsOf(
    connection,
    Range,
    `SELECT min(day)::varchar AS first, max(day)::varchar AS last FROM ${from}`,
  );
  return range?.first && range.last ? timelineOf(range.first, range.last, period) : undefined;
}

/** Divides the time from one day to another. */
export function timelineOf(first: string, last: string, period: Period): Timeline {
  const days = (Date.parse(last) - Date.parse(first)) / DAY + 1;
  const unit =
    days <= MAX_PARTS ? 'day' : days <= MAX_PARTS * 7 ? 'week' : days <= MAX_PARTS * 30 ? 'month' : 'year';
  const all = divided(first, last, unit, period);
  const parts = all.slice(-MAX_PARTS);
  const isSeveralYears = parts[0]?.start.slice(0, 4) !== last.slice(0, 4);
  const lacks = new Set(parts.flatMap(({ lack }) => lack ?? []));
  const starts = parts.map(({ start }) => quoted(start)).join(', ');
  const start = `CAST(CAST(date_trunc('${unit}', day) AS date) AS varchar)`;
  return {
    first,
    last,
    unit,
    parts: parts.map(({ start, lack }) => ({
      start,
      label: `${labelOf(start, unit, isSeveralYears)}${lack ? '*' : ''}`,
      name: lack ? `${start} (incomplete)` : start,
      isIncomplete: lack !== undefined,
    })),
    sql: `CASE WHEN ${start} IN (${starts}) THEN ${start} ELSE '' END`,
    incompleteDays: divided(first, last, 'day', period).flatMap(({ start: day, lack }) =>
      lack ? [day] : [],
    ),
    note: lacks.size > 0 ? `* Incomplete: ${[...lacks].join('; ')}.` : undefined,
  };
}

/** The first day of each part, and why it is incomplete. */
function divided(first: string, last: string, unit: Timeline['unit'], period: Period) {
  const parts = [];
  for (let part = startOf(new Date(first), unit); part <= new Date(last); ) {
    const next = nextStart(part, unit);
    parts.push({ start: dayOf(part), lack: lackIn(period, dayOf(part), dayOf(next)) });
    part = next;
  }
  return parts;
}

const dayOf = (date: Date) => date.toISOString().slice(0, 10);

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
  month: { month: 'short' },
  year: { year: 'numeric' },
} as const;

function labelOf(start: string, unit: Timeline['unit'], isSeveralYears: boolean): string {
  const text = new Date(start).toLocaleDateString('en-GB', { timeZone: 'UTC', ...FORMATS[unit] });
  const year = isSeveralYears && unit !== 'year' ? ` ’${start.slice(2, 4)}` : '';
  // The only month with four letters.
  return text.replace('Sept', 'Sep') + year;
}
