import { existsSync, renameSync, rmSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CHARGE_QUERIES } from '../../analytics/charges/charge-queries.ts';
import { DUCKDB, quoted } from '../../analytics/dialect.ts';
import { TRINO_FUNCTIONS } from '../../analytics/duckdb/trino-functions.ts';
import { SAVED_QUERIES } from '../../analytics/saved-queries.ts';
import { progress } from '../../terminal/output.ts';
import { type Context, UsageError } from '../command-line/command.ts';
import type { DocumentedView } from './documented-views.ts';

/** The table that says as of when the data is, and in which time zone its days and hours are. */
const ABOUT = 'about_this_export';

/** @throws UsageError if a file exists that `writeDatabase` has not written. */
export async function assertReplaceable(file: string): Promise<void> {
  if (!existsSync(file) || (await isOurs(file))) return;
  throw new UsageError(
    `${file} exists, and is not a database that --database has written. Name another file, or delete it.`,
  );
}

async function isOurs(file: string): Promise<boolean> {
  try {
    const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
    const connection = await instance.connect();
    const found = await connection.runAndReadAll(`FROM duckdb_tables() WHERE table_name = '${ABOUT}'`);
    connection.closeSync();
    instance.closeSync();
    return found.currentRowCount === 1;
  } catch {
    // Not a database, or one of a newer DuckDB.
    return false;
  }
}

interface DatabaseContents {
  time: string;
  timeZone: string;
  /** The query of the rows of a view. */
  rowsOf(view: DocumentedView): string;
}

/**
 * Writes a DuckDB database that has each of these views as a table, with comments, and each saved query as a view. It
 * replaces an existing file once it is complete.
 */
export async function writeDatabase(
  connection: DuckDBConnection,
  views: readonly DocumentedView[],
  file: string,
  { time, timeZone, rowsOf }: DatabaseContents,
  { stderr }: Context,
): Promise<void> {
  const part = `${file}.part`;
  rmSync(part, { force: true });
  await connection.run(`ATTACH ${quoted(part)} AS written`);
  try {
    await connection.run(
      `CREATE TABLE written.${ABOUT} AS SELECT ${quoted(time)}::timestamptz AS as_of, ${quoted(timeZone)} AS time_zone`,
    );
    for (const [i, view] of views.entries()) {
      progress(stderr, `${i + 1} of ${views.length}: ${view.name} …`);
      await connection.run(`CREATE TABLE written.${view.name} AS ${rowsOf(view)}`);
      for (const comment of commentsOn(view)) await connection.run(comment);
    }
    await addSavedQueries(connection, views, timeZone);
    await connection.run('DETACH written');
    // DuckDB would apply what a process that was killed has left to the new database.
    rmSync(`${file}.wal`, { force: true });
    renameSync(part, file);
  } finally {
    progress(stderr);
    for (const each of [part, `${part}.wal`]) rmSync(each, { force: true });
  }
}

/** Tools for business intelligence show the comments. */
function commentsOn({ name, description, columns }: DocumentedView): string[] {
  return [
    `COMMENT ON TABLE written.${name} IS ${quoted(description)}`,
    ...columns.map(
      (column) => `COMMENT ON COLUMN written.${name}.${column.name} IS ${quoted(column.description)}`,
    ),
  ];
}

/** Adds the saved queries, and the functions that they use. Those of charges only if there are charges. */
async function addSavedQueries(
  connection: DuckDBConnection,
  views: readonly DocumentedView[],
  timeZone: string,
): Promise<void> {
  const hasCharges = views.some(({ name }) => /charge/.test(name));
  await connection.run('USE written');
  for (const statement of TRINO_FUNCTIONS) await connection.run(statement);
  for (const { name, question, sql } of [...SAVED_QUERIES, ...(hasCharges ? CHARGE_QUERIES : [])]) {
    await connection.run(`CREATE VIEW "${name}" AS ${sql(DUCKDB)}`);
    // The database cannot set the time zone of those who open it.
    const comment = `${question} Its days are those of SET TimeZone = '${timeZone}'.`;
    await connection.run(`COMMENT ON VIEW "${name}" IS ${quoted(comment)}`);
  }
  await connection.run('USE memory');
}
