import type { DuckDBConnection } from '@duckdb/node-api';
import { readFacts, type Scope } from './facts.ts';
import { readTotals } from './headline.ts';
import type { Timeline } from './timeline.ts';
import { days } from './wording.ts';

const DAY = 86_400_000;

/**
 * Reads the totals of the period of the same length before the one that a report covers. Returns undefined if the report
 * has no first day, or there were no sessions before.
 */
export async function previousPeriod(
  connection: DuckDBConnection,
  scope: Scope,
  timeline: Timeline | undefined,
) {
  const { from, to = timeline?.last } = scope;
  if (from === undefined || to === undefined) return undefined;
  const count = Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;
  const dayBefore = (n: number) => new Date(Date.parse(from) - n * DAY).toISOString().slice(0, 10);
  const previous = { ...scope, from: dayBefore(count), to: dayBefore(1) };
  await readFacts(connection, previous, 'previous_');
  const totals = await readTotals(connection, 'previous_');
  return totals.sessions === 0 ? undefined : { totals, range: days(previous.from, previous.to) };
}
