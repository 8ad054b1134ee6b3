import { statSync } from 'node:fs';
import { readExports } from '../analytics/duckdb/export-folder.ts';
import { withExport } from '../analytics/duckdb/export-source.ts';
import { type CommandLine, runCommand, seeHelp, UsageError } from './command-line/command.ts';
import { timeZone } from './command-line/time-zone-option.ts';
import { contents } from './query/contents.ts';
import { printResult } from './query/print-result.ts';
import { resultFormat } from './query/result-format.ts';
import { runAllButLast, sqlIn, sqlOf } from './query/statements.ts';
import { writeResult } from './query/write-result.ts';
import { CHARGE_VIEW_NAMES, VIEW_NAMES, writeDatabase, writeViews } from './query/write-views.ts';

const HELP = `Usage: npm run query -- EXPORT [SQL | NAME] [options]

Queries exports of the table with DuckDB, on this machine.

EXPORT is a folder that contains exports, or s3://BUCKET/PREFIX, which is fetched
first with the AWS credentials and region of the shell. If it contains several
exports, the views show the newest full one and the incremental ones after it.
Charges are read from "charges" in it or, if it is named exports, beside it.

Without SQL or NAME, it lists the views, their columns and the saved queries.
NAME runs a saved query, or shows all rows of a view. Of several statements, the
result of the last one is shown.

Options:
  --file FILE      Run the SQL in FILE.
  --format NAME    table, vertical (one line per value), csv, json or parquet.
                   Default: the extension of the file, or csv without one; without
                   a file table. table and vertical show up to 1000 rows.
  --out FILE       Write the result to FILE instead of standard output. An existing
                   file is replaced. A name that ends in .gz is compressed.
  --all            Write every view to a file in the folder --out.
  --database FILE  Write a DuckDB database that has every view as a table. Tools for
                   business intelligence open it.
  --time-zone ZONE Time zone of days, hours and printed times, such as
                   Asia/Singapore. Default UTC.
  --fresh          Fetch everything from S3, without reading or writing the cache in
                   ~/.cache/vss-webhook.
  --print-sql      Print the SQL of a saved query, and do not run it.
  -h, --help       Show this help.
`;

const COMMAND = {
  name: 'query',
  help: HELP,
  takesArguments: true,
  options: {
    file: { type: 'string' },
    format: { type: 'string' },
    out: { type: 'string' },
    all: { type: 'boolean', default: false },
    database: { type: 'string' },
    'time-zone': { type: 'string', default: 'UTC' },
    fresh: { type: 'boolean', default: false },
    'print-sql': { type: 'boolean', default: false },
  },
} as const;

type Values = CommandLine<typeof COMMAND.options>['values'];

async function main({ values, args }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const [source, query, ...rest] = args;
  if (source === undefined)
    throw new UsageError(seeHelp('query', 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX'));
  if (rest.length > 0) {
    throw new UsageError(
      seeHelp('query', `Unexpected argument "${rest[0]}": put the query in quotes, and options after --`),
    );
  }
  if (
    [query, values.file, values.database, values.all || undefined].filter((each) => each !== undefined)
      .length > 1
  )
    throw new UsageError('SQL or NAME, --file, --database and --all exclude each other.');
  if (values['print-sql'] && query === undefined && values.file === undefined)
    throw new UsageError('--print-sql needs SQL, NAME or --file.');
  if (values.all || values.database !== undefined) return writeAll(source, values);
  if (values.file !== undefined) return runQuery(source, sqlIn(values.file), values);
  if (query === undefined) {
    // Validates only folders: the list does not depend on the export, so it is not worth a download.
    if (!/^s3:/i.test(source)) readExports(source, note);
    process.stdout.write(`${contents(source)}\n`);
    return;
  }
  await runQuery(source, sqlOf(query), values);
}

async function runQuery(source: string, sql: string, values: Values): Promise<void> {
  const zone = timeZone(values['time-zone']);
  const format = resultFormat(values.format, values.out);
  if (values['print-sql']) {
    process.stdout.write(`${sql}\n`);
    return;
  }
  const options = {
    timeZone: zone,
    isCached: !values.fresh,
    needsHistory: /_history\b|\bexports\b/i.test(sql),
    needsCharges: /charge/i.test(sql),
  };
  await withExport(source, options, async ({ connection, hasCharges }) => {
    if (options.needsCharges && !hasCharges)
      note(
        `Found no charges in ${source}: expected charges/DAY/SUBACCOUNT.json.gz in it or, if it is named exports, beside it.`,
      );
    const last = await runAllButLast(connection, sql);
    if (format.name === 'table' || format.name === 'vertical')
      return note(await printResult(connection, last, format.name, zone));
    await writeResult(connection, last, format, values.out, zone);
    if (values.out !== undefined) note(`Wrote ${values.out}`);
  });
}

async function writeAll(source: string, values: Values): Promise<void> {
  const { database, out } = values;
  const zone = timeZone(values['time-zone']);
  if (database === undefined && out === undefined)
    throw new UsageError('--all needs a folder: add --out FOLDER.');
  if (database === undefined && statSync(`${out}`, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new UsageError(`${out} is a file: --all needs a folder.`);
  const format = resultFormat(values.format ?? 'parquet', database ?? `${out}/view`);
  const options = { timeZone: zone, isCached: !values.fresh, needsHistory: true, needsCharges: true };
  await withExport(source, options, async ({ connection, hasCharges }) => {
    const views = [...VIEW_NAMES, ...(hasCharges ? CHARGE_VIEW_NAMES : [])];
    if (database !== undefined) await writeDatabase(connection, views, database);
    else if (out !== undefined) await writeViews(connection, views, out, format, zone);
  });
  note(`Wrote ${database ?? out}`);
}

/** Writes to standard error, to keep notes out of the result. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runCommand(COMMAND, main);
