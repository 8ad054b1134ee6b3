import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../dialect.ts';
import type { Before, LocalTime } from './period.ts';

/** The sessions that a report covers. */
export interface Scope {
  /** The first and the last day, `2026-11-20`. Undefined for all days. */
  from?: string | undefined;
  to?: string | undefined;
  /** Undefined for all sub-accounts. */
  subAccounts?: readonly string[] | undefined;
  /** The countries of the other party (ISO 3166-1 alpha-2; `??` if unknown). Undefined for all. */
  countries?: readonly string[] | undefined;
}

/** What distinguishes the rows of a view. */
interface Condition extends Scope {
  /** The local time before which the sessions start. Only for views with the columns of a session. */
  end?: LocalTime;
}

/**
 * Reads the data for the report into two tables. Every query of an export reads all of its files, which is slow. With
 * these tables, the files are read twice instead of once per chart.
 *
 * - `session_facts`: one row per session. `day` is its start date, or null if unknown or implausible.
 * - `leg_facts`: one row per leg.
 * - `previous_session_facts`, `previous_leg_facts`: those of the period before.
 * - `all_session_facts`: all sessions of the sub-accounts, if there is a period before.
 */
export async function readFacts(
  connection: DuckDBConnection,
  scope: Scope,
  before: Before | undefined,
): Promise<void> {
  const shown = conditionOf(scope);
  const previous = before ? conditionOf({ ...scope, ...before, to: before.end.slice(0, 10) }) : 'false';
  const flags = `coalesce(${shown}, false) AS is_shown, coalesce(${previous}, false) AS is_before`;
  const hasError = 'error_code IS NOT NULL OR error_msg IS NOT NULL';
  const failedSession = `CASE WHEN ${hasError} THEN session_id END AS failed_session, error_code, error_msg`;
  await connection.run(`CREATE TEMP TABLE all_session_facts AS
SELECT sub_account_id, start_date AS day, start_hour, session_status, outcome, coalesce(country, '') AS country,
  summary_count, is_incomplete, talk_seconds, unrecognised_count, implausible_count,
  reconstructed_from IS NOT NULL AS is_reconstructed, ${failedSession}, session_date, ${flags}
FROM sessions WHERE ${before ? conditionOf({ subAccounts: scope.subAccounts }) : shown}`);
  await connection.run(`CREATE TEMP TABLE all_leg_facts AS
SELECT start_date AS day, coalesce(source_country_code, '') AS source_country,
  coalesce(destination_country_code, '') AS destination_country,
  route, mos, mos_band, jitter, packet_loss_rate, ring_seconds, ${failedSession}, ${flags}
FROM call_legs WHERE (${shown}) OR (${previous})`);
  for (const name of ['session_facts', 'leg_facts']) {
    await connection.run(`CREATE TEMP VIEW ${name} AS FROM all_${name} WHERE is_shown`);
    await connection.run(`CREATE TEMP VIEW previous_${name} AS FROM all_${name} WHERE is_before`);
  }
}

/** Reads the ids of the sessions with the countries of a scope, which other views do not have. */
export async function readCountries(connection: DuckDBConnection, { countries }: Scope): Promise<void> {
  if (countries === undefined) return;
  await connection.run(`CREATE TEMP TABLE sessions_of_countries AS
SELECT session_id FROM sessions WHERE coalesce(country, '??') IN (${countries.map(quoted).join(', ')})`);
}

/** A sum of decimals does not depend on the order in which threads read the rows, unlike one of floats. */
export const MEAN_MOS = 'avg(mos::decimal(18, 6))';

/**
 * The condition for the rows of a view in a scope. A session without a plausible start counts at the time of its receipt.
 *
 * @param day The column with the day of a row.
 */
export function conditionOf(
  { from, to, end, subAccounts, countries }: Condition,
  day = 'session_date',
): string {
  const conditions = [
    ...(from === undefined ? [] : [`${day} >= ${quoted(from)}`]),
    ...(to === undefined ? [] : [`${day} <= ${quoted(to)}`]),
    ...(end === undefined
      ? []
      : [
          // Most rows need only the day, which is cheaper than the time.
          `(${day} < ${quoted(end.slice(0, 10))} OR CASE WHEN start_date IS NULL THEN received_at ELSE start_time END < ${quoted(end)}::timestamptz)`,
        ]),
    ...(subAccounts === undefined ? [] : [`sub_account_id IN (${subAccounts.map(quoted).join(', ')})`]),
    ...(countries === undefined ? [] : ['session_id IN (FROM sessions_of_countries)']),
  ];
  return conditions.join(' AND ') || 'true';
}
