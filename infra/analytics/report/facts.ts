import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../dialect.ts';

/** The sessions that a report covers. */
export interface Scope {
  /** The first and the last day, `2026-11-20`. Undefined for all days. */
  from?: string | undefined;
  to?: string | undefined;
  /** Undefined for all sub-accounts. */
  subAccounts?: readonly string[] | undefined;
}

/**
 * Reads the data for the report into two tables. Every query of an export reads all of its files, which is slow. With
 * these tables, the files are read twice instead of once per chart.
 *
 * - `session_facts`: one row per session. `day` is its start date, or null if that is unknown or cannot be right.
 * - `leg_facts`: one row per leg.
 *
 * @param prefix Prefix of the names of the tables.
 */
export async function readFacts(connection: DuckDBConnection, scope: Scope, prefix = ''): Promise<void> {
  const hasError = 'error_code IS NOT NULL OR error_msg IS NOT NULL';
  const failedSession = `CASE WHEN ${hasError} THEN session_id END AS failed_session, error_code, error_msg`;
  await connection.run(`CREATE TEMP TABLE ${prefix}session_facts AS
SELECT sub_account_id, start_date AS day, start_hour, session_status, outcome, coalesce(country, '') AS country,
  summary_count, is_incomplete, talk_seconds, unrecognised_count, implausible_count,
  reconstructed_from IS NOT NULL AS is_reconstructed, ${failedSession}
FROM sessions WHERE ${conditionOf(scope)}`);
  await connection.run(`CREATE TEMP TABLE ${prefix}leg_facts AS
SELECT start_date AS day, coalesce(source_country_code, '') AS source_country,
  coalesce(destination_country_code, '') AS destination_country,
  route, mos, mos_band, jitter, packet_loss_rate, ring_seconds, ${failedSession}
FROM call_legs WHERE ${conditionOf(scope)}`);
}

/** A sum of decimals does not depend on the order in which threads read the rows, unlike one of floats. */
export const MEAN_MOS = 'avg(mos::decimal(18, 6))';

/**
 * The condition for the rows of a view in a scope. A session without a plausible start counts on the day of its receipt.
 *
 * @param day The column with the day of a row.
 */
export function conditionOf({ from, to, subAccounts }: Scope, day = 'session_date'): string {
  const conditions = [
    ...(from === undefined ? [] : [`${day} >= ${quoted(from)}`]),
    ...(to === undefined ? [] : [`${day} <= ${quoted(to)}`]),
    ...(subAccounts === undefined ? [] : [`sub_account_id IN (${subAccounts.map(quoted).join(', ')})`]),
  ];
  return conditions.join(' AND ') || 'true';
}
