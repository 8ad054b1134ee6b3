import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../../analytics/dialect.ts';
import { withExport } from '../../analytics/duckdb/export-source.ts';
import { withoutPersonalData } from '../../analytics/personal-data.ts';
import { print } from '../../terminal/output.ts';
import { type Context, UsageError } from '../command-line/command.ts';
import { type DocumentedView, EXPORT_VIEWS, VIEWS_OF_CHARGES } from './documented-views.ts';
import { printResult } from './print-result.ts';
import type { ResultFormat } from './result-format.ts';
import { runAllButLast } from './statements.ts';
import { assertReplaceable, writeDatabase } from './write-database.ts';
import { writeResult } from './write-result.ts';
import { writeViews } from './write-views.ts';

interface SourceOptions {
  timeZone: string;
  /** Whether objects from S3 are kept for the next command. */
  isCached: boolean;
}

export interface QueryOptions extends SourceOptions {
  sql: string;
  format: ResultFormat;
  guardsFormulas: boolean;
  /** The file to write the result to. Default: standard output. */
  out: string | undefined;
}

/** Runs a query and shows or writes its result. Returns the exit code. */
export async function runQuery(
  source: string,
  { sql, format, out, timeZone, isCached, guardsFormulas }: QueryOptions,
  context: Context,
): Promise<number> {
  // Notes go to standard error, to keep them out of the result.
  const note = (text: string) => print(context.stderr, text);
  // As in SHOW TABLES, or a query of information_schema.
  const listsViews = /\bshow\b|_schema\b/i.test(sql);
  const namesCharges = /charge/i.test(sql);
  const options = {
    timeZone,
    isCached,
    needsHistory: listsViews || /_history\b|\bexports\b|\bsession_changes\b/i.test(sql),
    needsCharges: listsViews || namesCharges,
  };
  await withExport(source, options, context, async ({ connection, hasCharges, time }) => {
    if (namesCharges && !hasCharges)
      note(
        `Found no charges in ${source}: expected charges/DAY/SUBACCOUNT.json.gz in it or, if it is named exports, beside it.`,
      );
    if (RELATIVE_TO_NOW.test(sql)) note(await ageNote(connection, time));
    const last = await runAllButLast(connection, sql);
    if (format.name === 'table' || format.name === 'vertical')
      return note(await printResult(connection, last, format.name, timeZone, context));
    const target = out === undefined ? context.stdout : resolve(context.cwd, out);
    const formulas = await writeResult(connection, last, target, { format, timeZone, guardsFormulas });
    if (formulas.length > 0) note(formulaNote(formulas));
    if (out !== undefined) note(`Wrote ${out}`);
  });
  return 0;
}

const formulaNote = (columns: readonly string[]) =>
  `Cells of ${columns.join(', ')} begin with =, +, - or @, which spreadsheets may run as a formula. --guard-formulas puts an apostrophe before them.`;

/** What a query refers to whose result depends on when it runs. */
const RELATIVE_TO_NOW = /\b(current_date|current_timestamp|localtimestamp|today\(|now\()/i;

/** As of when the data is that such a query reads, with a warning if it ends before the current day began. */
async function ageNote(connection: DuckDBConnection, time: string): Promise<string> {
  const sql = `SELECT ${quoted(time)}::timestamptz < date_trunc('day', current_timestamp) AS is_old`;
  const [row] = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const warning = row?.['is_old']
    ? ', before the current day began: the result lacks what happened since'
    : '';
  return `The query is relative to the current time, and the data is as of ${time}${warning}.`;
}

export interface WriteAllOptions extends SourceOptions {
  /** The file of a DuckDB database. Without it, the views are written to the folder `out`. */
  database: string | undefined;
  out: string;
  format: ResultFormat;
  guardsFormulas: boolean;
  hasPersonalData: boolean;
}

/** Writes all views to a database or to a folder. Returns the exit code. @throws UsageError if the folder is a file. */
export async function writeAll(
  source: string,
  { database, out, format, timeZone, isCached, guardsFormulas, hasPersonalData }: WriteAllOptions,
  context: Context,
): Promise<number> {
  const target = resolve(context.cwd, database ?? out);
  if (database === undefined && statSync(target, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new UsageError(`${out} is a file: --all needs a folder.`);
  if (database !== undefined) await assertReplaceable(target);
  const options = { timeZone, isCached, needsHistory: true, needsCharges: true };
  await withExport(source, options, context, async ({ connection, hasCharges, time }) => {
    const views = [...EXPORT_VIEWS, ...(hasCharges ? VIEWS_OF_CHARGES : [])];
    const rowsOf = hasPersonalData ? ({ name }: DocumentedView) => `FROM ${name}` : withoutPersonalData;
    if (database !== undefined)
      await writeDatabase(connection, views, target, { time, timeZone, rowsOf }, context);
    else await writeViews(connection, views, target, { format, timeZone, guardsFormulas, rowsOf }, context);
  });
  print(context.stderr, `Wrote ${database ?? out}`);
  return 0;
}
