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

Queries an export of the table with DuckDB, on this machine.

EXPORT is a folder with what DynamoDB exported, or s3://BUCKET/PREFIX, which is
fetched first (AWS credentials and region of the shell). A folder may have
several exports: the newest full one and the incremental ones after it are what
the views show. Without SQL, the views, their columns and the saved queries are
listed; a saved query is run by its name, and the name of a view shows all of it.

Options:
  --format NAME  table, csv, json or parquet. Default: by the name of the file,
                 else table, which shows at most 1000 rows.
  --out FILE     Where the result goes, instead of to standard output. What is
                 there is replaced.
  --print-sql    Print the SQL of a saved query, and run nothing.
  -h, --help     Show this.
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

/** `npm run query`: for the analyst. */
async function main({ values, args }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const [source, query, ...rest] = args;
  if (source === undefined)
    throw new UsageError(seeHelp('query', 'Which export? Name its folder, or s3://BUCKET/PREFIX'));
  if (rest.length > 0) {
    throw new UsageError(
      seeHelp(
        'query',
        `Expected one query, in quotes, but "${rest[0]}" came after it; options come after --`,
      ),
    );
  }
  const format = formatOf(values.format, values.out);
  if (format === 'parquet' && values.out === undefined)
    throw new UsageError('Parquet is not for a terminal: name a file with --out.');
  if (query === undefined) {
    // What it says is right of a folder only; to fetch an export for that would be too much.
    if (!/^s3:/i.test(source)) readExports(source, note);
    return say(contents(source));
  }

  const sql = sqlOf(query);
  if (values['print-sql']) return say(sql);
  await withExport(source, async ({ connection }) => {
    const { count } = await connection.extractStatements(sql);
    if (count !== 1) throw new UsageError(`Expected one query; there are ${count}.`);
    if (format === 'table' && values.out === undefined) return showTable(connection, sql);
    if (values.out !== undefined) {
      await copy(connection, sql, format, values.out);
      return note(`${values.out} is written.`);
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
        ? `The name of ${out} does not say in which format: add --format csv, json or parquet.`
        : `--format takes ${FORMATS.join(', ')}, not "${name}".`,
    );
  }
  if (format === 'table' && out !== undefined)
    throw new UsageError('A table goes to the terminal; --out takes csv, json or parquet.');
  return format;
}

const VIEW_NAMES = [
  ...VIEWS.map(({ name }) => name),
  'exports',
  ...VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`),
];

/** A saved query, a whole view, or SQL. */
function sqlOf(query: string): string {
  const saved = SAVED_QUERIES.find(({ name }) => name === query);
  if (saved) return saved.sql;
  if (VIEW_NAMES.includes(query)) return `FROM ${query}`;
  if (/^[\w-]+$/.test(query)) {
    throw new UsageError(
      `There is no saved query or view "${query}". There are: ${[...SAVED_QUERIES.map(({ name }) => name), ...VIEW_NAMES].join(', ')}.`,
    );
  }
  const sql = query.replace(/[;\s]+$/, '');
  if (sql === '') throw new UsageError('The query is empty: expected SQL, or the name of a saved query.');
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
  if (rows.length > MAX_TABLE_ROWS) note(`Only the first ${MAX_TABLE_ROWS} rows; --format csv has all.`);
  else note(rows.length === 1 ? '1 row' : `${rows.length} rows`);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function copy(connection: DuckDBConnection, sql: string, format: Format, file: string): Promise<void> {
  if (!/^\s*(?:--.*\n\s*)*(?:select|with|from|values|\()/i.test(sql)) {
    throw new UsageError(
      `For ${format} it has to be a query, SELECT or WITH …; for anything else leave --format and --out out.`,
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

/** What there is to query. */
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

${histories}: the same of every full export, and before it
${textTable(EXPORT_COLUMNS.map((column) => [column.name, column.type, column.description]))}

Saved queries

${textTable(SAVED_QUERIES.map(({ name, question }) => [name, question]))}

Run one, or SQL of your own (DuckDB's: https://duckdb.org/docs/sql/introduction):

  npm run query -- ${source} ${SAVED_QUERIES[0]?.name}
  npm run query -- ${source} "SELECT country, count(*) FROM sessions GROUP BY country"`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Beside the result, not in it. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runCommand(COMMAND, main);
