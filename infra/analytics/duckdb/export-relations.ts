import { ERASED_AT } from '../../../functions/recorder/tombstone.ts';
import { literalFiles, quoted } from '../dialect.ts';
import { DUCKDB_TYPES, itemType, STORED_ITEM } from '../stored-record.ts';
import { isCompressed } from './data-file.ts';
import type { Export } from './export.ts';
import type { Newest } from './newest-export.ts';

const ITEM = itemType(STORED_ITEM, DUCKDB_TYPES);
const KEYS = 'STRUCT(sessionId STRUCT(S VARCHAR))';
const METADATA = 'STRUCT(WriteTimestampMicros STRUCT(N VARCHAR))';

const NO_ITEMS = `SELECT NULL::${ITEM} AS item, NULL::varchar AS export_time, NULL::varchar AS export_id LIMIT 0`;

/** Tombstones are not records. */
const NOT_ERASED = `item.${ERASED_AT}.S IS NULL`;

/** The ids of the records of a full export. */
export function idsOf(full: Export): string {
  return `SELECT Item.sessionId.S AS id FROM ${rows([full], { Item: KEYS })}`;
}

/** The records of all full exports, with the columns that identify an export. */
export function recordsOf(exports: readonly Export[]): string {
  const full = exports.filter(({ type }) => type === 'full');
  return full.length > 0 ? full.map(itemsOf).join(' UNION ALL ') : NO_ITEMS;
}

function itemsOf(full: Export): string {
  const { scheduled, id } = full;
  return `SELECT Item AS item, ${quoted(scheduled)} AS export_time, ${quoted(id)} AS export_id FROM ${rows([full], { Item: ITEM })} WHERE ${NOT_ERASED}`;
}

/** The records of the newest state. */
export function newestRecords({ full, increments }: Newest): string {
  return full && increments.length === 0 ? itemsOf(full) : changed(full, increments);
}

/**
 * The records with the changes applied: each changed record has its newest image, and deleted ones are gone. Only the ids
 * of the changed records are held in memory, because a million images would not fit.
 */
function changed(full: Export | undefined, increments: readonly Export[]): string {
  const change = { Metadata: METADATA, Keys: KEYS };
  // Two exports may contain the same change; one contains a record once.
  const position = `{'written': Metadata.WriteTimestampMicros.N::bigint, 'file': filename}`;
  const newest = `SELECT Keys.sessionId.S AS id, max(${position}) AS position FROM ${rows(increments, change)} GROUP BY id`;
  const images = `SELECT item FROM (SELECT *, NewImage AS item, Keys.sessionId.S AS id, ${position} AS position
    FROM ${rows(increments, { ...change, NewImage: ITEM })}) AS changes SEMI JOIN newest USING (id, position)
    WHERE item IS NOT NULL AND ${NOT_ERASED}`;
  const unchanged = `SELECT item FROM (SELECT item, item.sessionId.S AS id FROM (${full ? itemsOf(full) : NO_ITEMS}) AS records)
    AS base ANTI JOIN newest USING (id)`;
  return `WITH newest AS (${newest}) ${unchanged} UNION ALL ${images}`;
}

/** The attributes of an image that `session_changes` needs. */
const IMAGE = itemType(
  Object.fromEntries(
    ['sessionId', 'subAccountId', 'sessionStatus', ERASED_AT].map((name) => [name, { holds: 'text' }]),
  ),
  DUCKDB_TYPES,
);

/** The images of exports, with the microseconds since 1970 of the last write of each or, in a full export, of its point in time. */
export function imagesOf(exports: readonly Export[]): string {
  const increments = exports.filter(({ type }) => type === 'incremental');
  const images = [
    ...exports
      .filter(({ type }) => type === 'full')
      .map(
        (full) =>
          `SELECT Item AS item, ${Date.parse(full.time) * 1_000} AS written FROM ${rows([full], { Item: IMAGE })}`,
      ),
    `SELECT NewImage AS item, Metadata.WriteTimestampMicros.N::bigint AS written FROM ${rows(increments, { Metadata: METADATA, NewImage: IMAGE })}`,
  ];
  return `SELECT item, written FROM (${images.join(' UNION ALL ')}) AS images WHERE item IS NOT NULL AND ${NOT_ERASED}`;
}

/** The lines of the data files as rows. */
function rows(exports: readonly Export[], columns: Readonly<Record<string, string>>): string {
  const paths = exports.flatMap(({ files }) => files.map(({ path }) => path));
  const types = Object.entries(columns).map(([name, type]) => `${name}: ${quoted(type)}`);
  if (paths.length === 0) {
    const none = Object.entries(columns).map(([name, type]) => `NULL::${type} AS ${name}`);
    return `(SELECT ${[...none, 'NULL::varchar AS filename'].join(', ')} LIMIT 0)`;
  }
  const read = [...Map.groupBy(paths, (path) => (isCompressed(path) ? 'gzip' : 'uncompressed'))].map(
    // Format and columns are explicit, so that DuckDB does not read the files to detect them.
    ([compression, group]) =>
      `FROM read_json(${literalFiles(group)}, format = 'newline_delimited', records = true, filename = true, compression = '${compression}', columns = {${types.join(', ')}})`,
  );
  return `(${read.join(' UNION ALL ')})`;
}
