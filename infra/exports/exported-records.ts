import { ERASED_AT } from '../../functions/recorder/tombstone.ts';

/** The SQL with which the views in Athena read the files of the exports. */

/** The table over the files of the full exports. */
export const EXPORT_FILES = 'export_files';
/** The table over the files of the incremental exports. */
export const CHANGE_FILES = 'change_files';
/** The table over the files of charges. */
export const CHARGE_FILES = 'charge_files';

/** The rows of charges, with the UTC day of their file. */
export const CHARGE_ROWS = `(SELECT *, regexp_extract("$path", '/([0-9-]{10})/[^/]+$', 1) AS day FROM ${CHARGE_FILES}) AS charge_lines`;

const EXPORT_ID = `regexp_extract("$path", '/AWSDynamoDB/([^/]+)/', 1) AS export_id`;

/** The records of all full exports, without those of erased sessions. */
export const RECORDS = `(SELECT item, export_time, ${EXPORT_ID} FROM ${EXPORT_FILES} WHERE item.sessionId.S IS NOT NULL AND item.${ERASED_AT}.S IS NULL) AS records`;

/**
 * The data files of complete full exports. The manifest lists the data files with their checksums, so DynamoDB writes it
 * last. An incremental export among the full ones is left out: its data files have a different path.
 */
function listedFiles(condition = 'datafiles3key IS NOT NULL'): string {
  return `SELECT * FROM (SELECT export_time, itemcount, datafiles3key, ${EXPORT_ID} FROM ${EXPORT_FILES} WHERE ${condition}) AS files
    WHERE datafiles3key LIKE '%/' || export_id || '/data/%'`;
}

/** The data files of complete exports, full and incremental. */
export const LISTED_FILES = `SELECT export_time, export_id, 'full' AS export_type, CAST(NULL AS varchar) AS changes_since, itemcount AS item_count
    FROM (${listedFiles()}) AS listed_files
    UNION ALL
    SELECT export_time, ${EXPORT_ID}, 'incremental' AS export_type, regexp_extract("$path", '/since-([^/]+)/', 1) AS changes_since, itemcount AS item_count
    FROM ${CHANGE_FILES} WHERE datafiles3key IS NOT NULL`;

/**
 * The records of the newest complete full export, with the changes of the complete incremental ones after it.
 *
 * @param days Age in days up to which exports are read.
 */
export function newestRecords(days: number): string {
  const recent = `export_time >= date_format(at_timezone(current_timestamp, 'UTC') - INTERVAL '${days}' DAY, '%Y-%m-%dT%HZ')`;
  const file = (path: string) => `regexp_extract(${path}, '[^/]+$')`;
  // Athena has to read whole files to find the manifests, and does so for each reference to `newest`.
  return `(WITH newest AS (
    SELECT max(export_time) AS export_time, max_by(export_id, export_time || export_id) AS export_id
    FROM (${listedFiles(`${recent} AND datafiles3key IS NOT NULL`)}) AS listed_files
  ), changes AS (
    SELECT keys.sessionId.S AS session_id, max_by(newimage, CAST(metadata.WriteTimestampMicros.N AS bigint)) AS item
    FROM ${CHANGE_FILES}
    WHERE ${recent} AND keys.sessionId.S IS NOT NULL AND export_time > (SELECT export_time FROM newest)
      AND ${file('"$path"')} IN (SELECT ${file('datafiles3key')} FROM ${CHANGE_FILES} WHERE ${recent} AND datafiles3key IS NOT NULL)
    GROUP BY keys.sessionId.S
  ), exported AS (
    SELECT item FROM ${RECORDS} WHERE ${recent} AND export_id = (SELECT export_id FROM newest)
  )
  SELECT CASE WHEN changes.session_id IS NULL THEN exported.item ELSE changes.item END AS item
  FROM exported FULL OUTER JOIN changes ON changes.session_id = exported.item.sessionId.S
  WHERE changes.session_id IS NULL OR (changes.item.sessionId.S IS NOT NULL AND changes.item.${ERASED_AT}.S IS NULL)) AS newest_records`;
}

/**
 * The images of all retained exports, with the microseconds since 1970 of the last write of each or, in a full export, of
 * its point in time. Without those of erased sessions, and of incremental exports that are not complete.
 */
export const IMAGES = `(SELECT item, CAST(to_unixtime(from_iso8601_timestamp(replace(export_time, 'Z', ':00:00Z'))) * 1e6 AS bigint) AS written
    FROM ${RECORDS}
    UNION ALL
    SELECT newimage AS item, CAST(metadata.WriteTimestampMicros.N AS bigint) AS written
    FROM ${CHANGE_FILES}
    WHERE newimage.sessionId.S IS NOT NULL AND newimage.${ERASED_AT}.S IS NULL
      AND regexp_extract("$path", '[^/]+$') IN (SELECT regexp_extract(datafiles3key, '[^/]+$') FROM ${CHANGE_FILES} WHERE datafiles3key IS NOT NULL)) AS images`;
