import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { rowsOf } from './rows.ts';

/** The time that an export is about, in equal parts. */
export interface Timeline {
  /** The first and the last day (`2026-11-20`). */
  first: string;
  last: string;
  unit: 'day' | 'week' | 'month' | 'year';
  /** The first day of each part, without a gap. */
  parts: readonly string[];
  /** SQL for the first day of the part in which `day` of `session_facts` is. */
  sql: string;
}

const Range = v.object({ first: v.nullable(v.string()), last: v.nullable(v.string()) });

/** More than these are too thin to be seen. */
const MAX_PARTS = 100;

const DAY = 86_400_000;

/** Undefined, where no session has a day. */
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
  for (let part = begin(new Date(first), unit); part <= new Date(last); part = next(part, unit))
    parts.push(part.toISOString().slice(0, 10));
  return {
    first,
    last,
    unit,
    parts: parts.slice(-MAX_PARTS),
    sql: `coalesce(CAST(CAST(date_trunc('${unit}', day) AS date) AS varchar), '')`,
  };
}

/** The first day of the part in which a day is; a week begins on Monday, as it does for DuckDB. */
function begin(day: Date, unit: Timeline['unit']): Date {
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

function next(day: Date, unit: Timeline['unit']): Date {
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

const FORMATS = {
  day: { day: 'numeric', month: 'short' },
  week: { day: 'numeric', month: 'short' },
  month: { month: 'short', year: 'numeric' },
  year: { year: 'numeric' },
} as const;

/** The name of a part, short enough for an axis: `22 Oct`. */
export function partLabel(part: string, unit: Timeline['unit']): string {
  return new Date(part).toLocaleDateString('en-GB', { timeZone: 'UTC', ...FORMATS[unit] });
}
