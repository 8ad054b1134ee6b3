import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { DUCKDB as DIALECT } from './dialect.ts';
import { type Export, newestOf, readExports, verify } from './export-folder.ts';
import { DUCKDB, itemType, RECORD } from './stored-record.ts';
import { selectOf } from './view.ts';
import { EXPORT_COLUMNS, VIEWS, VIEWS_WITH_HISTORY } from './views.ts';

/** DuckDB, with the views over the exports in a folder. */
export interface SessionDatabase {
  connection: DuckDBConnection;
  /** The time of what the views show (ISO 8601). */
  time: string;
  close(): void;
}

const ITEM = itemType(RECORD, DUCKDB);
const KEYS = 'STRUCT(sessionId STRUCT(S VARCHAR))';
const METADATA = 'STRUCT(WriteTimestampMicros STRUCT(N VARCHAR))';

/**
 * Opens the exports in a folder. The files stay where they are; a query reads them.
 *
 * @param notice Is told what is missing or left out.
 * @throws ExportError when the folder has no export, or a broken one.
 */
export async function openSessions(folder: string, notice: (text: string) => void): Promise<SessionDatabase> {
  const exports = readExports(folder, notice);
  const { full, increments } = newestOf(exports, notice);
  const newest = increments.at(-1) ?? full;
  if (newest === undefined) throw new Error('There is no export');
  for (const each of full ? [full, ...increments] : increments) await verify(each);

  const instance = await DuckDBInstance.create(':memory:', {
    // What does not fit is put on disk.
    memory_limit: '1GB',
    temp_directory: join(tmpdir(), `vss-webhook-duckdb-${process.pid}`),
    preserve_insertion_order: 'false',
    // What it needs is built in; nothing is fetched.
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const states = exports.filter(({ type }) => type === 'full').map(itemsOf);
  if (increments.length > 0)
    states.push(`SELECT item, ${constants(newest)} FROM (${changed(full, increments)}) AS newest`);
  const statements = [
    "SET TimeZone = 'UTC'",
    // Trino has it, DuckDB has it by another name.
    'CREATE MACRO approx_percentile(value, fraction) AS quantile_disc(value, fraction)',
    `CREATE VIEW newest_records AS ${increments.length > 0 ? changed(full, increments) : itemsOf(newest)}`,
    `CREATE VIEW records AS ${states.join(' UNION ALL ')}`,
    `CREATE VIEW exports AS FROM (VALUES ${exports
      .map(({ time, id, itemCount }) => `(${quoted(time)}, ${quoted(id)}, ${itemCount}::bigint)`)
      .join(', ')}) AS exports (export_time, export_id, item_count)`,
    ...VIEWS.map((view) => `CREATE VIEW ${view.name} AS ${selectOf(view, DIALECT, 'newest_records')}`),
    ...VIEWS_WITH_HISTORY.map(
      (view) => `CREATE VIEW ${view.name}_history AS ${selectOf(view, DIALECT, 'records', EXPORT_COLUMNS)}`,
    ),
  ];
  for (const statement of statements) await connection.run(statement);
  return {
    connection,
    time: newest.time,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** The records of a full export. */
function itemsOf(full: Export): string {
  return `SELECT Item AS item, ${constants(full)} FROM ${rows([full], { Item: ITEM })}`;
}

function constants({ time, id }: Export): string {
  return `${quoted(time)} AS export_time, ${quoted(id)} AS export_id`;
}

/** The records after the changes: of each that was changed, its newest image, unless it was deleted. */
function changed(full: Export | undefined, increments: readonly Export[]): string {
  const changes = rows(increments, { Metadata: METADATA, Keys: KEYS, NewImage: ITEM });
  const images = `SELECT Keys.sessionId.S AS id, arg_max({'image': NewImage}, Metadata.WriteTimestampMicros.N::bigint) AS newest FROM ${changes} GROUP BY ALL`;
  const added = `SELECT newest.image AS item FROM (${images}) AS images WHERE newest.image IS NOT NULL`;
  if (full === undefined) return added;
  return `SELECT item FROM (${itemsOf(full)}) AS base WHERE item.sessionId.S NOT IN (SELECT Keys.sessionId.S FROM ${changes}) UNION ALL ${added}`;
}

/** The lines of exports as rows. */
function rows(exports: readonly Export[], columns: Readonly<Record<string, string>>): string {
  const paths = exports.flatMap(({ files }) => files.map(({ path }) => quoted(path)));
  const types = Object.entries(columns).map(([name, type]) => `${name}: ${quoted(type)}`);
  if (paths.length === 0) {
    const none = Object.entries(columns).map(([name, type]) => `NULL::${type} AS ${name}`);
    return `(SELECT ${none.join(', ')} LIMIT 0)`;
  }
  // Everything is said, so that DuckDB does not read files to find it out.
  return `read_json([${paths.join(', ')}], format = 'newline_delimited', records = true, compression = 'gzip', columns = {${types.join(', ')}})`;
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
