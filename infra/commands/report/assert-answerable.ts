import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Scope } from '../../analytics/report/facts.ts';
import { localTime, minutes } from '../../analytics/report/period.ts';
import { rowsOf } from '../../analytics/report/rows.ts';
import { printable } from '../../terminal/printable.ts';
import { UsageError } from '../command-line/command.ts';
import { didYouMean } from '../command-line/nearest.ts';

const Known = v.object({ value: v.string() });

/** Where the values of each filter occur. */
const FILTERS = [
  {
    filter: 'subAccounts',
    name: 'sub-account',
    sql: 'SELECT sub_account_id AS value FROM sessions UNION SELECT sub_account_id FROM call_charges',
  },
  {
    filter: 'countries',
    name: 'country',
    sql: "SELECT DISTINCT coalesce(country, '??') AS value FROM sessions",
  },
] as const;

const MAX_LISTED = 30;

/**
 * Refuses a report that would be empty because of a mistake: a filter with a value that does not occur, or a first day
 * that the data does not reach.
 *
 * @throws UsageError
 */
export async function assertAnswerable(
  connection: DuckDBConnection,
  { scope, time, timeZone }: { scope: Scope; time: string; timeZone: string },
): Promise<void> {
  const known = localTime(time, timeZone);
  if (scope.from !== undefined && scope.from > known.slice(0, 10))
    throw new UsageError(
      `--from ${scope.from} is after the data, which is as of ${minutes(known)} ${timeZone}. Create a newer export, or name an earlier day.`,
    );
  for (const { filter, name, sql } of FILTERS) {
    const asked = scope[filter];
    if (asked === undefined) continue;
    const found = await rowsOf(
      connection,
      Known,
      `SELECT * FROM (${sql}) WHERE value IS NOT NULL ORDER BY value`,
    );
    const values = found.map(({ value }) => value);
    const unknown = asked.find((value) => !values.includes(value));
    if (unknown === undefined) continue;
    const listed = values.slice(0, MAX_LISTED).map(printable).join(', ');
    const more = values.length > MAX_LISTED ? ` and ${values.length - MAX_LISTED} more` : '';
    throw new UsageError(
      `Unknown ${name} "${unknown}".${didYouMean(unknown, values)} ${values.length === 0 ? 'The data has none' : `The data has: ${listed}${more}`}.`,
    );
  }
}
