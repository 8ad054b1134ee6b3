import { createReadStream } from 'node:fs';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../analytics/dialect.ts';
import { readExports } from '../analytics/duckdb/export-folder.ts';
import { withExport } from '../analytics/duckdb/export-source.ts';
import { temporaryFolder } from '../analytics/duckdb/temporary-folder.ts';
import { SAVED_QUERIES } from '../analytics/saved-queries.ts';
import { columnsOf } from '../analytics/view.ts';
import { EXPORT_COLUMNS, EXPORTS_COLUMNS, VIEWS, VIEWS_WITH_HISTORY } from '../analytics/views.ts';
import { textTable } from '../terminal/text-table.ts';
import { type CommandLine, runCommand, seeHelp, UsageError } from './command-line/command.ts';

const HELP = `Usage: npm run query -- EXPORT [SQL | NAME] [options]

Queries exports of the table with DuckDB, on this machine.

EXPORT is a folder that contains exports, or s3://BUCKET/PREFIX, which is fetched
first with the AWS credentials and region of the shell. If it contains several
exports, the views show the newest full one and the incremental ones after it.

Without SQL or NAME, it lists the views, their columns and the saved queries.
NAME runs a saved query, or shows all rows of a view.

Options:
  --format NAME  table, csv, json or parquet. Default: the extension of FILE, or
                 csv without one; without FILE table, which shows up to 1000 rows.
  --out FILE     Write the result to FILE instead of standard output. An existing
                 file is replaced.
  --print-sql    Print the SQL of a saved query, and do not run it.
  -h, --help     Show this help.
`;

const MAX_TABLE_ROWS = 1_000;

const FORMATS = ['table', 'csv', 'json', 'parquet'] as const;
type Format = (typeof FORMATS)[number];

const COMMAND = {
  name: 'query',
  help: HELP,
  takesArguments: true,
  options: {
    format: { type: 'string' },
    out: { type: 'string' },
    'print-sql': { type: 'boolean', default: false },
  },
} as const;

async function main({ values, args }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const [source, query, ...rest] = args;
  if (source === undefined)
    throw new UsageError(seeHelp('query', 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX'));
  if (rest.length > 0) {
    throw new UsageError(
      seeHelp('query', `Unexpected argument "${rest[0]}": put the query in quotes, and options after --`),
    );
  }
  const format = formatOf(values.format, values.out);
  if (format === 'parquet' && values.out === undefined)
    throw new UsageError('Parquet cannot be written to standard output: name a file with --out.');
  if (query === undefined) {
    // Validates only folders: the list does not depend on the export, so it is not worth a download.
    if (!/^s3:/i.test(source)) readExports(source, note);
    return say(contents(source));
  }

  const sql = sqlOf(query);
  if (values['print-sql']) return say(sql);
  await withExport(source, async ({ connection }) => {
    const { count } = await connection.extractStatements(sql);
    if (count !== 1) throw new UsageError(`Expected one query, not ${count}.`);
    if (format === 'table' && values.out === undefined) return showTable(connection, sql);
    if (values.out !== undefined) {
      await copy(connection, sql, format, values.out);
      return note(`Wrote ${values.out}`);
    }
    const file = join(temporaryFolder(), 'result');
    await copy(connection, sql, format, file);
    await pipeline(createReadStream(file), process.stdout, { end: false });
  });
}

function formatOf(chosen: string | undefined, out: string | undefined): Format {
  const name = chosen ?? (out === undefined ? 'table' : extname(out).slice(1) || 'csv');
  const format = FORMATS.find((known) => known === name);
  if (format === undefined) {
    throw new UsageError(
      chosen === undefined
        ? `The extension of ${out} is not a known format: add --format csv, json or parquet.`
        : `--format must be one of ${FORMATS.join(', ')}, not "${name}".`,
    );
  }
  if (format === 'table' && out !== undefined)
    throw new UsageError('--format table cannot be combined with --out: choose csv, json or parquet.');
  return format;
}

const VIEW_NAMES = [
  ...VIEWS.map(({ name }) => name),
  'exports',
  ...VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`),
];

/** The SQL of a saved query or a view, or the given SQL. */
function sqlOf(query: string): string {
  const saved = SAVED_QUERIES.find(({ name }) => name === query);
  if (saved) return saved.sql;
  if (VIEW_NAMES.includes(query)) return `FROM ${query}`;
  if (/^[\w-]+$/.test(query)) {
    throw new UsageError(
      `Unknown saved query or view "${query}". Available: ${[...SAVED_QUERIES.map(({ name }) => name), ...VIEW_NAMES].join(', ')}.`,
    );
  }
  const sql = query.replace(/[;\s]+$/, '');
  if (sql === '') throw new UsageError('The query is empty: expected SQL, a saved query or a view.');
  return sql;
}

async function showTable(connection: DuckDBConnection, sql: string): Promise<void> {
  const result = await connection.streamAndReadUntil(sql, MAX_TABLE_ROWS + 1);
  const rows = result.getRowsJson();
  say(
    textTable([
      result.columnNames(),
      ...rows.slice(0, MAX_TABLE_ROWS).map((row) => row.map((value) => cell(value))),
    ]),
  );
  if (rows.length > MAX_TABLE_ROWS)
    note(`Only the first ${MAX_TABLE_ROWS} rows are shown. --format csv prints all of them.`);
  else note(rows.length === 1 ? '1 row' : `${rows.length} rows`);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function copy(connection: DuckDBConnection, sql: string, format: Format, file: string): Promise<void> {
  if (!/^\s*(?:--.*\n\s*)*(?:select|with|from|values|\()/i.test(sql)) {
    throw new UsageError(
      `${format} output requires a query (SELECT, FROM, WITH or VALUES). For other statements, omit --format and --out.`,
    );
  }
  const options = {
    table: '',
    csv: 'FORMAT csv, HEADER',
    json: 'FORMAT json, ARRAY',
    parquet: 'FORMAT parquet',
  };
  await connection.run(`COPY (${sql}\n) TO ${quoted(file)} (${options[format]})`);
}

/** Lists the views, their columns and the saved queries. */
function contents(source: string): string {
  const views = [
    ...VIEWS.map((view) => ({ ...view, columns: columnsOf(view) })),
    { name: 'exports', description: 'One row per complete full export', columns: EXPORTS_COLUMNS },
  ].map(
    ({ name, description, columns }) =>
      `${name}: ${description}\n${textTable(columns.map((column) => [column.name, column.type, column.description]))}`,
  );
  const histories = VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`).join(', ');
  return `Views

${views.join('\n\n')}

${histories}: the same for every full export, with these columns first
${textTable(EXPORT_COLUMNS.map((column) => [column.name, column.type, column.description]))}

Saved queries

${textTable(SAVED_QUERIES.map(({ name, question }) => [name, question]))}

Run a saved query, or your own SQL (DuckDB's dialect: https://duckdb.org/docs/sql/introduction):

  npm run query -- ${source} ${SAVED_QUERIES[0]?.name}
  npm run query -- ${source} "SELECT country, count(*) FROM sessions GROUP BY country"`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes to standard error, to keep notes out of the result. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runCommand(COMMAND, main);
