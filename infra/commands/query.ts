import { resolve } from 'node:path';
import { print } from '../terminal/output.ts';
import {
  type CommandLine,
  type Context,
  defineCommand,
  seeHelp,
  UsageError,
} from './command-line/command.ts';
import { timeZone } from './command-line/time-zone-option.ts';
import { resultFormat } from './query/result-format.ts';

const HELP = `Usage: npx vss-webhook query EXPORT [SQL | NAME] [options]

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
  --without-personal-data
                   With --all or --database, write null instead of phone numbers and of
                   texts that may contain personal data. Session ids remain.
  --time-zone ZONE Time zone of days, hours and printed times, such as
                   Asia/Singapore. Default UTC.
  --guard-formulas In csv, put an apostrophe before texts that begin with =, +, - or @,
                   which spreadsheets may run as a formula. Phone numbers do, too.
  --fresh          Fetch everything from S3, without reading or writing the cache in
                   ~/.cache/vss-webhook.
  --print-sql      Print the SQL of a saved query, and do not run it.
  -h, --help       Show this help.
`;

const OPTIONS = {
  file: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  all: { type: 'boolean', default: false },
  database: { type: 'string' },
  'without-personal-data': { type: 'boolean', default: false },
  'time-zone': { type: 'string', default: 'UTC' },
  'guard-formulas': { type: 'boolean', default: false },
  fresh: { type: 'boolean', default: false },
  'print-sql': { type: 'boolean', default: false },
} as const;
type Values = CommandLine<typeof OPTIONS>['values'];

export const query = defineCommand({
  name: 'query',
  summary: 'query an export with saved queries or SQL',
  help: HELP,
  takesArguments: true,
  options: OPTIONS,
  async run({ values, args }, context) {
    const { source, text } = readArguments(args, values);
    const options = {
      timeZone: timeZone(values['time-zone']),
      isCached: !values.fresh,
      guardsFormulas: values['guard-formulas'],
    };
    if (values.all || values.database !== undefined) {
      const target = targetOf(values);
      const { writeAll } = await import('./query/run-query.ts');
      const hasPersonalData = !values['without-personal-data'];
      return writeAll(source, { ...options, ...target, hasPersonalData }, context);
    }
    if (values['without-personal-data'])
      throw new UsageError('--without-personal-data needs --all or --database.');
    const sql = await readSql(text, values.file, context);
    if (sql === undefined) {
      const { listContents } = await import('./query/contents.ts');
      return listContents(source, context);
    }
    const format = resultFormat(values.format, values.out);
    if (values['print-sql']) {
      print(context.stdout, sql);
      return 0;
    }
    const { runQuery } = await import('./query/run-query.ts');
    return runQuery(source, { ...options, sql, format, out: values.out }, context);
  },
});

/** The SQL to run; undefined if the command line names none. @throws UsageError */
async function readSql(text: string | undefined, file: string | undefined, { cwd }: Context) {
  if (text === undefined && file === undefined) return undefined;
  const { sqlIn, sqlOf } = await import('./query/statements.ts');
  return file === undefined ? sqlOf(text ?? '') : sqlIn(resolve(cwd, file));
}

/** @throws UsageError */
function readArguments(args: readonly string[], values: Values) {
  const [source, text, ...rest] = args;
  if (source === undefined)
    throw new UsageError(seeHelp('query', 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX'));
  if (rest.length > 0)
    throw new UsageError(seeHelp('query', `Unexpected argument "${rest[0]}": put the query in quotes`));
  const chosen = [text, values.file, values.database, values.all || undefined];
  if (chosen.filter((each) => each !== undefined).length > 1)
    throw new UsageError('SQL or NAME, --file, --database and --all exclude each other.');
  if (values['print-sql'] && text === undefined && values.file === undefined)
    throw new UsageError('--print-sql needs SQL, NAME or --file.');
  return { source, text };
}

/** Where --all or --database write to. @throws UsageError */
function targetOf({ database, out, format }: Values) {
  if (database === undefined && out === undefined)
    throw new UsageError('--all needs a folder: add --out FOLDER.');
  return { database, out: out ?? '', format: resultFormat(format ?? 'parquet', database ?? `${out}/view`) };
}
