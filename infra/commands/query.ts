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

Queries a DynamoDB export of the table on this machine, with DuckDB.

EXPORT is a folder that contains the export, or s3://BUCKET/PREFIX, which is
downloaded first with the AWS credentials and region of the shell. If the folder
contains several exports, the views show the newest full export with the
incremental exports that follow it.

NAME is a saved query to run, or a view to print. Without SQL or NAME, the command
lists the views, their columns and the saved queries.

Options:
  --format NAME  table, csv, json or parquet. Default: the extension of FILE, or
                 table without --out. A table shows at most 1000 rows.
  --out FILE     Write the result to FILE, replacing it, instead of to standard
                 output.
  --print-sql    Print the SQL of a saved query without running it.
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
      seeHelp(
        'query',
        `Unexpected argument "${rest[0]}": expected a single query, in quotes, and options after --`,
      ),
    );
  }
  const format = formatOf(values.format, values.out);
  if (format === 'parquet' && values.out === undefined)
    throw new UsageError('Parquet cannot be printed to the terminal: add --out FILE.');
  if (query === undefined) {
    // Checks a local folder only: downloading an export just to list the views would be a waste.
    if (!/^s3:/i.test(source)) readExports(source, note);
    return say(contents(source));
  }

  const sql = sqlOf(query);
  if (values['print-sql']) return say(sql);
  await withExport(source, async ({ connection }) => {
    const { count } = await connection.extractStatements(sql);
    if (count !== 1) throw new UsageError(`Expected one query, got ${count}.`);
    if (format === 'table' && values.out === undefined) return showTable(connection, sql);
    if (values.out !== undefined) {
      await copy(connection, sql, format, values.out);
      return note(`Wrote ${values.out}.`);
    }
    const file = join(temporaryFolder(), 'result');
    await copy(connection, sql, format, file);
    await pipeline(createReadStream(file), process.stdout, { end: false });
  });
}

function formatOf(asked: string | undefined, out: string | undefined): Format {
  const name = asked ?? (out === undefined ? 'table' : extname(out).slice(1) || 'csv');
  const format = FORMATS.find((known) => known === name);
  if (format === undefined) {
    throw new UsageError(
      asked === undefined
        ? `Unknown format of ${out}: add --format csv, json or parquet.`
        : `Invalid --format "${name}": expected ${FORMATS.join(', ')}.`,
    );
  }
  if (format === 'table' && out !== undefined)
    throw new UsageError('A table cannot be written to a file: choose csv, json or parquet for --out.');
  return format;
}

const VIEW_NAMES = [
  ...VIEWS.map(({ name }) => name),
  'exports',
  ...VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`),
];

/** The SQL of a saved query, of a whole view, or as given. */
function sqlOf(query: string): string {
  const saved = SAVED_QUERIES.find(({ name }) => name === query);
  if (saved) return saved.sql;
  if (VIEW_NAMES.includes(query)) return `FROM ${query}`;
  if (/^[\w-]+$/.test(query)) {
    throw new UsageError(
      `No saved query or view is named "${query}". Expected one of: ${[...SAVED_QUERIES.map(({ name }) => name), ...VIEW_NAMES].join(', ')}.`,
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
    note(`Showing the first ${MAX_TABLE_ROWS} rows. Use --format csv for all of them.`);
  else note(rows.length === 1 ? '1 row' : `${rows.length} rows`);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function copy(connection: DuckDBConnection, sql: string, format: Format, file: string): Promise<void> {
  if (!/^\s*(?:--.*\n\s*)*(?:select|with|from|values|\()/i.test(sql)) {
    throw new UsageError(
      `Only a query (SELECT or WITH …) can be written as ${format}. Run other statements without --format and --out.`,
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

${histories}: the same columns for every full export, preceded by
${textTable(EXPORT_COLUMNS.map((column) => [column.name, column.type, column.description]))}

Saved queries

${textTable(SAVED_QUERIES.map(({ name, question }) => [name, question]))}

Run a saved query, or your own SQL in the dialect of DuckDB (https://duckdb.org/docs/sql/introduction):

  npm run query -- ${source} ${SAVED_QUERIES[0]?.name}
  npm run query -- ${source} "SELECT country, count(*) FROM sessions GROUP BY country"`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints to standard error, so that standard output has only the result. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runCommand(COMMAND, main);
