import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { conditionOf, type Scope } from './facts.ts';
import { Sum } from './money.ts';
import { daysAfter, type Period, periodOf } from './period.ts';
import { Count, rowsOf } from './rows.ts';
import { readTimeline, type Timeline } from './timeline.ts';

const Found = v.object({ legs: Count, unpriced: Count, last: v.string() });
const Currency = v.object({ place: Count, currency: v.string(), legs: Count, total: Sum });
export type Currency = v.InferOutput<typeof Currency>;

/** The charges that a report covers. */
export interface Charges {
  legs: number;
  /** The legs without a readable price. */
  unpriced: number;
  /** The last day (UTC) of the log export, also outside the scope. */
  last: string;
  /** The currencies of the prices. That of most legs comes first. */
  currencies: readonly Currency[];
  /** The time of the charges. Undefined if none has a plausible day. */
  timeline: Timeline | undefined;
}

/**
 * Reads the charges into tables, because each query of a view reads all files. Returns undefined if there are none.
 *
 * - `charges`: one row per leg, also outside the scope of the report.
 * - `charge_facts`: those in the scope.
 * - `currencies`: the currencies of their prices.
 */
export async function readCharges(
  connection: DuckDBConnection,
  { scope, timeZone, gaps }: { scope: Scope; timeZone: string; gaps: Period['gaps'] },
): Promise<Charges | undefined> {
  await connection.run(`CREATE TEMP TABLE charges AS
SELECT session_id, coalesce(sub_account_id, '') AS sub_account_id, export_day, charge_date AS day,
  coalesce(destination_country, '') AS country, coalesce(product, '') AS product, currency, total_price,
  CASE WHEN connected_timestamp IS NOT NULL THEN duration_seconds END AS answered_seconds, call_status, sip_status,
  coalesce(${conditionOf(scope, 'charge_date')}, false) AS is_in_scope
FROM call_charges`);
  await connection.run('CREATE TEMP VIEW charge_facts AS FROM charges WHERE is_in_scope');
  const [found] = await rowsOf(
    connection,
    Found,
    `SELECT count(*) AS legs, count(*) FILTER (WHERE total_price IS NULL) AS unpriced,
  coalesce((SELECT max(export_day) FROM charges), DATE '1970-01-01')::varchar AS last FROM charge_facts`,
  );
  if (!found || found.legs === 0) return undefined;
  await connection.run(`CREATE TEMP TABLE currencies AS
SELECT row_number() OVER (ORDER BY count(*) DESC, currency) AS place, currency, count(*) AS legs, sum(total_price) AS total
FROM charge_facts WHERE total_price IS NOT NULL GROUP BY currency`);
  const currencies = await rowsOf(connection, Currency, 'FROM currencies ORDER BY place');
  // The files are those of days in UTC.
  const end = `${daysAfter(found.last, 1)}T00:00:00Z`;
  const period = periodOf(scope, end, timeZone, gaps);
  const isPlausible = "abs(date_diff('day', export_day, day)) <= 1";
  const timeline = await readTimeline(connection, `charge_facts WHERE ${isPlausible}`, period);
  return { ...found, currencies, timeline };
}

/** The condition for the prices in a currency. Its name is no literal in SQL, because it may contain any character. */
export const pricedIn = ({ place }: Currency) =>
  `total_price IS NOT NULL AND currency = (SELECT currency FROM currencies WHERE place = ${place})`;
