import type { DuckDBConnection } from '@duckdb/node-api';

/** In seconds. A longer talk time must be an error in the record. */
const WEEK = 7 * 86_400;

/**
 * Reads the data for the report into two tables. Every query of an export reads all of its files, which is slow. With
 * these tables, the files are read twice instead of once per chart.
 *
 * - `session_facts`: one row per session. `day` is its start date, or null if that is unknown or implausible: a single
 *   session of the year 9999 would stretch the time axis until no other session is visible.
 * - `leg_facts`: one row per leg with a call quality or an error.
 */
export async function readFacts(connection: DuckDBConnection): Promise<void> {
  const hasError = 'error_code IS NOT NULL OR error_msg IS NOT NULL';
  const failedSession = `CASE WHEN ${hasError} THEN session_id END AS failed_session, error_code, error_msg`;
  await connection.run(`CREATE TEMP TABLE session_facts AS
SELECT CASE
    WHEN start_time BETWEEN received_at - INTERVAL 10 YEAR AND received_at + INTERVAL 1 DAY THEN start_date
  END AS day,
  start_hour, session_status, outcome, coalesce(country, '') AS country, summary_count, is_incomplete,
  CASE WHEN talk_seconds <= ${WEEK} THEN talk_seconds END AS talk_seconds,
  unrecognised_count, ${failedSession}
FROM sessions`);
  await connection.run(`CREATE TEMP TABLE leg_facts AS
SELECT coalesce(source_country_code, '') AS source_country,
  coalesce(destination_country_code, '') AS destination_country,
  route, CASE WHEN mos BETWEEN 1 AND 5 THEN mos END AS mos, mos_band, ${failedSession}
FROM call_legs
WHERE mos IS NOT NULL OR ${hasError}`);
}
