import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { conditionOf, type Scope } from './facts.ts';
import { Count, rowsOf } from './rows.ts';

const Found = v.object({ legs: Count, unpriced: Count });
const Currency = v.object({ place: Count, currency: v.string() });
export type Currency = v.InferOutput<typeof Currency>;

/** The charges that a report covers. */
export interface Charges {
  legs: number;
  /** The legs without a readable price. */
  unpriced: number;
  /** The currencies of the prices. That of most legs comes first. */
  currencies: readonly Currency[];
}

/**
 * Reads the charges into tables, because each query of a view reads all files. Returns undefined if there are none.
 *
 * - `charges`: one row per leg, also outside the scope of the report.
 * - `charge_facts`: those in the scope.
 * - `currencies`: the currencies of their prices.
 */
export async function readCharges(connection: DuckDBConnection, scope: Scope): Promise<Charges | undefined> {
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
    'SELECT count(*) AS legs, count(*) FILTER (WHERE total_price IS NULL) AS unpriced FROM charge_facts',
  );
  if (!found || found.legs === 0) return undefined;
  await connection.run(`CREATE TEMP TABLE currencies AS
SELECT row_number() OVER (ORDER BY count(*) DESC, currency) AS place, currency
FROM charge_facts WHERE total_price IS NOT NULL GROUP BY currency`);
  const currencies = await rowsOf(connection, Currency, 'FROM currencies ORDER BY place');
  return { ...found, currencies };
}

/** The condition for the prices in a currency. Its name is no literal in SQL, because it may contain any character. */
export const pricedIn = ({ place }: Currency) =>
  `total_price IS NOT NULL AND currency = (SELECT currency FROM currencies WHERE place = ${place})`;
