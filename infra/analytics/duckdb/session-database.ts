import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CHARGE_VIEWS } from '../charges/charge-views.ts';
import { DUCKDB, quoted } from '../dialect.ts';
import { EXPORT_COLUMNS, exportsSelect } from '../exports-view.ts';
import { sessionChangesSelect } from '../session-changes.ts';
import { selectOf } from '../view.ts';
import { VIEWS, VIEWS_WITH_HISTORY } from '../views.ts';
import { chargeRows, readableChargeFiles } from './charge-files.ts';
import { type Export, ExportError, shortTime } from './export.ts';
import { readExports } from './export-folder.ts';
import { idsOf, imagesOf, newestRecords, recordsOf } from './export-relations.ts';
import { type Newest, newestOf } from './newest-export.ts';
import type { Incomplete, Notice } from './notice.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TRINO_FUNCTIONS } from './trino-functions.ts';
import { verify } from './verify-export.ts';

/** A DuckDB database with the views over the exports in a folder. */
export interface SessionDatabase {
  connection: DuckDBConnection;
  /** The number of exports in the folder. */
  exports: number;
  /** The point in time whose table state the views show (ISO 8601). */
  time: string;
  /** Undefined without a manifest. */
  tableArn: string | undefined;
  /** Whether there are files of charges. Without them, the views of charges show none. */
  hasCharges: boolean;
  /** What the exports and the charges lack. */
  incomplete: readonly Incomplete[];
  close(): void;
}

export interface DatabaseOptions {
  /** The time zone of days, hours and printed times. */
  timeZone: string;
  /** Whether the views of the history are needed, and so the exports that do not contribute to the newest state. */
  needsHistory: boolean;
  /** Whether the views of the charges are needed. */
  needsCharges: boolean;
}

/**
 * Opens the exports in a folder. They are not imported: each query reads the files.
 *
 * @param notice Called with a message for each export that is missing or ignored.
 * @throws ExportError if the folder contains no valid export.
 */
export async function openSessions(
  folder: string,
  notice: (text: string) => void,
  { timeZone = 'UTC', needsHistory = true, needsCharges = true }: Partial<DatabaseOptions> = {},
): Promise<SessionDatabase> {
  const incomplete: Incomplete[] = [];
  const note: Notice = (text, lack) => {
    if (lack) incomplete.push(lack);
    notice(text);
  };
  const read = readExports(folder, note);
  const newest = newestOf(read, note);
  for (const each of newest.full ? [newest.full, ...newest.increments] : newest.increments)
    await verify(each);
  const exports = needsHistory ? await withoutBroken(read, newest, notice) : read;
  const charges = needsCharges ? await readableChargeFiles(folder, note) : [];

  const instance = await DuckDBInstance.create(':memory:', {
    // DuckDB spills to disk above this limit.
    memory_limit: '1GB',
    temp_directory: temporaryFolder(),
    preserve_insertion_order: 'false',
    ...(sizeOf(exports) < SMALL_BYTES && { threads: '1' }),
    // All required extensions are built in. Nothing is downloaded.
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    const statements = [
      ...definitions(newest, timeZone),
      ...(needsHistory ? historyDefinitions(exports) : []),
      ...(needsCharges ? chargeDefinitions(charges) : []),
    ];
    for (const statement of statements) await connection.run(statement);
    if (newest.full && newest.full.itemCount === undefined) await assertUnique(connection, newest.full);
  } catch (error) {
    close();
    throw error;
  }
  return {
    connection,
    exports: exports.length,
    time: newest.time,
    tableArn: exports[0]?.tableArn,
    hasCharges: charges.length > 0,
    incomplete,
    close,
  };
}

/**
 * One export has each session once: without a manifest, nothing else tells the data files of two exports apart.
 *
 * @throws ExportError
 */
async function assertUnique(connection: DuckDBConnection, full: Export): Promise<void> {
  const repeated = `SELECT count(*)::integer AS repeated FROM (SELECT id FROM (${idsOf(full)}) AS items GROUP BY id HAVING count(*) > 1) AS ids`;
  const [row] = (await connection.runAndReadAll(repeated)).getRowObjectsJson();
  const count = Number(row?.['repeated']);
  if (count === 0) return;
  throw new ExportError(
    `${dirname(full.files[0]?.path ?? '')} has the data files of several exports: ${count} of their sessions ${count === 1 ? 'is' : 'are'} there more than once. Keep those of one, or fetch the exports with their manifests.`,
  );
}

/** Below this size, distributing the work among threads takes longer than the work. */
const SMALL_BYTES = 1_000_000;

function sizeOf(exports: readonly Export[]): number {
  const files = exports.flatMap(({ files }) => files);
  return files.reduce((size, { path }) => size + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Leaves out the exports that are broken, of those that the newest state does not need. */
async function withoutBroken(
  exports: readonly Export[],
  { full, increments }: Newest,
  notice: (text: string) => void,
): Promise<Export[]> {
  const complete: Export[] = [];
  for (const each of exports) {
    try {
      if (each !== full && !increments.includes(each)) await verify(each);
      complete.push(each);
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      notice(`The history does not include a broken export. ${error.message}`);
    }
  }
  return complete;
}

/** The statements that define the views of the newest state. Each takes a few milliseconds, so the others are optional. */
function definitions(newest: Newest, timeZone: string): string[] {
  return [
    `SET TimeZone = ${quoted(timeZone)}`,
    ...TRINO_FUNCTIONS,
    `CREATE VIEW newest_records AS ${newestRecords(newest)}`,
    ...VIEWS.map((view) => `CREATE VIEW ${view.name} AS ${selectOf(view, DUCKDB, 'newest_records')}`),
  ];
}

/** The statements that define the views of all exports. */
function historyDefinitions(exports: readonly Export[]): string[] {
  const listed = exports.map(({ scheduled, id, type, from, itemCount = null }) => {
    const since = from === undefined ? 'NULL' : quoted(shortTime(from));
    return `(${quoted(scheduled)}, ${quoted(id)}, ${quoted(type)}, ${since}, ${itemCount})`;
  });
  const listing = `(VALUES ${listed.join(', ')}) AS listed (export_time, export_id, export_type, changes_since, item_count)`;
  return [
    `CREATE VIEW records AS ${recordsOf(exports)}`,
    `CREATE VIEW exports AS ${exportsSelect(listing, DUCKDB)}`,
    `CREATE VIEW session_changes AS ${sessionChangesSelect(`(${imagesOf(exports)}) AS images`, DUCKDB)}`,
    ...VIEWS_WITH_HISTORY.map(
      (view) => `CREATE VIEW ${view.name}_history AS ${selectOf(view, DUCKDB, 'records', EXPORT_COLUMNS)}`,
    ),
  ];
}

/** The statements that define the views of charges. */
function chargeDefinitions(files: readonly string[]): string[] {
  return [
    `CREATE VIEW charge_files AS ${chargeRows(files)}`,
    ...CHARGE_VIEWS.map((view) => `CREATE VIEW ${view.name} AS ${selectOf(view, DUCKDB, 'charge_files')}`),
  ];
}
