import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { withExport } from '../../analytics/duckdb/export-source.ts';
import { print } from '../../terminal/output.ts';
import { type Context, UsageError } from '../command-line/command.ts';
import { printResult } from './print-result.ts';
import type { ResultFormat } from './result-format.ts';
import { runAllButLast } from './statements.ts';
import { CHARGE_VIEW_NAMES, VIEW_NAMES } from './view-names.ts';
import { writeResult } from './write-result.ts';
import { writeDatabase, writeViews } from './write-views.ts';

interface SourceOptions {
  timeZone: string;
  /** Whether objects from S3 are kept for the next command. */
  isCached: boolean;
}

export interface QueryOptions extends SourceOptions {
  sql: string;
  format: ResultFormat;
  /** The file to write the result to. Default: standard output. */
  out: string | undefined;
}

/** Runs a query and shows or writes its result. Returns the exit code. */
export async function runQuery(
  source: string,
  { sql, format, out, timeZone, isCached }: QueryOptions,
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
    needsHistory: listsViews || /_history\b|\bexports\b/i.test(sql),
    needsCharges: listsViews || namesCharges,
  };
  await withExport(source, options, context, async ({ connection, hasCharges }) => {
    if (namesCharges && !hasCharges)
      note(
        `Found no charges in ${source}: expected charges/DAY/SUBACCOUNT.json.gz in it or, if it is named exports, beside it.`,
      );
    const last = await runAllButLast(connection, sql);
    if (format.name === 'table' || format.name === 'vertical')
      return note(await printResult(connection, last, format.name, timeZone, context));
    const target = out === undefined ? context.stdout : resolve(context.cwd, out);
    await writeResult(connection, last, format, target, timeZone);
    if (out !== undefined) note(`Wrote ${out}`);
  });
  return 0;
}

export interface WriteAllOptions extends SourceOptions {
  /** The file of a DuckDB database. Without it, the views are written to the folder `out`. */
  database: string | undefined;
  out: string;
  format: ResultFormat;
}

/** Writes all views to a database or to a folder. Returns the exit code. @throws UsageError if the folder is a file. */
export async function writeAll(
  source: string,
  { database, out, format, timeZone, isCached }: WriteAllOptions,
  context: Context,
): Promise<number> {
  const target = resolve(context.cwd, database ?? out);
  if (database === undefined && statSync(target, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new UsageError(`${out} is a file: --all needs a folder.`);
  const options = { timeZone, isCached, needsHistory: true, needsCharges: true };
  await withExport(source, options, context, async ({ connection, hasCharges }) => {
    const views = [...VIEW_NAMES, ...(hasCharges ? CHARGE_VIEW_NAMES : [])];
    if (database !== undefined) await writeDatabase(connection, views, target, context);
    else await writeViews(connection, views, target, { format, timeZone }, context);
  });
  print(context.stderr, `Wrote ${database ?? out}`);
  return 0;
}
