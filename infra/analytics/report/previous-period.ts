import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { conditionOf, readFacts, type Scope } from './facts.ts';
import { readTotals } from './headline.ts';
import { rowsOf } from './rows.ts';
import { DAY, type Timeline } from './timeline.ts';
import { days } from './wording.ts';

/** The first day with sessions of these sub-accounts. */
const First = v.object({ day: v.nullable(v.string()) });

/**
 * Reads the totals of the period of the same length before the one that a report covers. Returns undefined if the report
 * has no first day, or if the exports do not reach back to the start of the period before.
 *
 * @param exported The day of the export, in the time zone of the report. A period that ends later ends then.
 */
export async function previousPeriod(
  connection: DuckDBConnection,
  scope: Scope,
  timeline: Timeline | undefined,
  exported: string,
) {
  const { from, to: last = timeline?.last } = scope;
  if (from === undefined || last === undefined || from > exported) return undefined;
  const to = last < exported ? last : exported;
  const count = Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;
  const dayBefore = (n: number) => new Date(Date.parse(from) - n * DAY).toISOString().slice(0, 10);
  const previous = { ...scope, from: dayBefore(count), to: dayBefore(1) };
  const [first] = await rowsOf(
    connection,
    First,
    `SELECT min(session_date)::varchar AS day FROM sessions WHERE ${conditionOf({ subAccounts: scope.subAccounts })}`,
  );
  if (!first?.day || first.day > previous.from) return undefined;
  await readFacts(connection, previous, 'previous_');
  const totals = await readTotals(connection, 'previous_');
  return totals.sessions === 0 ? undefined : { totals, range: days(previous.from, previous.to) };
}
