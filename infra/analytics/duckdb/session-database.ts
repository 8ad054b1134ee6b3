import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { DUCKDB, quoted } from '../dialect.ts';
import { DUCKDB_TYPES, itemType, RECORD } from '../stored-record.ts';
import { selectOf } from '../view.ts';
import { EXPORT_COLUMNS, VIEWS, VIEWS_WITH_HISTORY } from '../views.ts';
import { type Export, readExports } from './export-folder.ts';
import { type Newest, newestOf } from './newest-export.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { verify } from './verify-export.ts';

/** A DuckDB database with the views over the exports in a folder. */
export interface SessionDatabase {
  connection: DuckDBConnection;
  /** The number of exports in the folder. */
  exports: number;
  /** The point in time whose table state the views show (ISO 8601). */
  time: string;
  close(): void;
}

const ITEM = itemType(RECORD, DUCKDB_TYPES);
const KEYS = 'STRUCT(sessionId STRUCT(S VARCHAR))';
const METADATA = 'STRUCT(WriteTimestampMicros STRUCT(N VARCHAR))';

/**
 * Opens the exports in a folder. They are not imported: each query reads the files.
 *
 * @param notice Called with a message for each export that is missing or ignored.
 * @throws ExportError if the folder contains no valid export.
 */
export async function openSessions(folder: string, notice: (text: string) => void): Promise<SessionDatabase> {
  const exports = readExports(folder, notice);
  const newest = newestOf(exports, notice);
  for (const each of newest.full ? [newest.full, ...newest.increments] : newest.increments)
    await verify(each);

  const instance = await DuckDBInstance.create(':memory:', {
    // DuckDB spills to disk above this limit.
    memory_limit: '1GB',
    temp_directory: temporaryFolder(),
    preserve_insertion_order: 'false',
    // All required extensions are built in. Nothing is downloaded.
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    for (const statement of definitions(exports, newest)) await connection.run(statement);
  } catch (error) {
    close();
    throw error;
  }
  return { connection, exports: exports.length, time: newest.time, close };
}

/** The statements that define the views. */
function definitions(exports: readonly Export[], { full, increments }: Newest): string[] {
  const fullExports = exports.filter(({ type }) => type === 'full');
  const listed = fullExports.map(
    ({ scheduled, id, itemCount }) => `SELECT ${quoted(scheduled)}, ${quoted(id)}, ${itemCount}::bigint`,
  );
  return [
    "SET TimeZone = 'UTC'",
    // Trino's name of this function.
    'CREATE MACRO approx_percentile(value, fraction) AS quantile_disc(value, fraction)',
    `CREATE VIEW newest_records AS ${full && increments.length === 0 ? itemsOf(full) : changed(full, increments)}`,
    `CREATE VIEW records AS ${fullExports.length > 0 ? fullExports.map(itemsOf).join(' UNION ALL ') : NO_ITEMS}`,
    `CREATE VIEW exports (export_time, export_id, item_count) AS ${listed.join(' UNION ALL ') || 'SELECT NULL::varchar, NULL::varchar, 0::bigint LIMIT 0'}`,
    ...VIEWS.map((view) => `CREATE VIEW ${view.name} AS ${selectOf(view, DUCKDB, 'newest_records')}`),
    ...VIEWS_WITH_HISTORY.map(
      (view) => `CREATE VIEW ${view.name}_history AS ${selectOf(view, DUCKDB, 'records', EXPORT_COLUMNS)}`,
    ),
  ];
}

const NO_ITEMS = `SELECT NULL::${ITEM} AS item, NULL::varchar AS export_time, NULL::varchar AS export_id LIMIT 0`;

/** The records of a full export. */
function itemsOf(full: Export): string {
  const { scheduled, id } = full;
  return `SELECT Item AS item, ${quoted(scheduled)} AS export_time, ${quoted(id)} AS export_id FROM ${rows([full], { Item: ITEM })}`;
}

/** The records with the changes applied: each changed record has its newest image, and deleted ones are gone. */
function changed(full: Export | undefined, increments: readonly Export[]): string {
  const changes = rows(increments, { Metadata: METADATA, Keys: KEYS, NewImage: ITEM });
  const images = `SELECT Keys.sessionId.S AS id, arg_max({'image': NewImage}, Metadata.WriteTimestampMicros.N::bigint) AS newest FROM ${changes} GROUP BY ALL`;
  const added = `SELECT newest.image AS item FROM (${images}) AS images WHERE newest.image IS NOT NULL`;
  if (full === undefined) return added;
  return `SELECT item FROM (${itemsOf(full)}) AS base WHERE item.sessionId.S NOT IN (SELECT Keys.sessionId.S FROM ${changes}) UNION ALL ${added}`;
}

/** The lines of the data files as rows. */
function rows(exports: readonly Export[], columns: Readonly<Record<string, string>>): string {
  const paths = exports.flatMap(({ files }) => files.map(({ path }) => quoted(path)));
  const types = Object.entries(columns).map(([name, type]) => `${name}: ${quoted(type)}`);
  if (paths.length === 0) {
    const none = Object.entries(columns).map(([name, type]) => `NULL::${type} AS ${name}`);
    return `(SELECT ${none.join(', ')} LIMIT 0)`;
  }
  // Format and columns are explicit, so that DuckDB does not read the files to detect them.
  return `read_json([${paths.join(', ')}], format = 'newline_delimited', records = true, compression = 'gzip', columns = {${types.join(', ')}})`;
}
