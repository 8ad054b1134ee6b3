import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type DuckDBConnection, DuckDBTypeId } from '@duckdb/node-api';
import { quoted } from '../../analytics/dialect.ts';
import { temporaryFolder } from '../../analytics/duckdb/temporary-folder.ts';
import type { Output } from '../../terminal/output.ts';
import { UsageError } from '../command-line/command.ts';
import type { ResultFormat } from './result-format.ts';

export interface WriteOptions {
  format: ResultFormat;
  timeZone: string;
  /** Whether an apostrophe is put before texts in CSV that a spreadsheet would run as a formula. */
  guardsFormulas: boolean;
}

/**
 * Writes the result of a query to a file or a stream.
 *
 * @returns The columns in CSV with texts that a spreadsheet would run as a formula.
 */
export async function writeResult(
  connection: DuckDBConnection,
  sql: string,
  out: string | Output,
  { format, timeZone, guardsFormulas }: WriteOptions,
): Promise<string[]> {
  const file = typeof out === 'string' ? out : join(temporaryFolder(), 'result');
  const query = copyable(sql, format);
  const write = (select: string) =>
    connection.run(`COPY (${select}\n) TO ${quoted(file)} (${copyOptions(format)})`);
  let formulas: string[] = [];
  // Parquet has a type for times.
  if (format.name === 'parquet') await write(query);
  else {
    const columns = await columnsOf(connection, query);
    const guards = format.name === 'csv' && guardsFormulas;
    const cells = columns.map((column) => {
      const cell = isoTime(column.reference, column.type, timeZone);
      const shown = guards && isText(column) ? guarded(cell) : cell;
      return `${shown} AS "${column.name.replaceAll('"', '""')}"`;
    });
    await write(`SELECT ${cells.join(', ')} FROM ${relation(query, columns)}`);
    if (format.name === 'csv' && !guards) formulas = await columnsWithFormulas(connection, query, columns);
  }
  if (typeof out !== 'string') await pipeline(createReadStream(file), out, { end: false });
  return formulas;
}

interface ResultColumn {
  name: string;
  /** Its name in a relation: those of a result need not be unique. */
  reference: string;
  type: DuckDBTypeId;
}

async function columnsOf(connection: DuckDBConnection, sql: string): Promise<ResultColumn[]> {
  // DuckDB expands PIVOT to several statements.
  const statements = await connection.extractStatements(sql);
  for (let i = 0; i < statements.count - 1; i++) await (await statements.prepare(i)).run();
  const prepared = await statements.prepare(statements.count - 1);
  const columns = Array.from({ length: prepared.columnCount }, (_, i) => ({
    name: prepared.columnName(i),
    reference: `c${i}`,
    type: prepared.columnTypeId(i),
  }));
  prepared.destroySync();
  return columns;
}

const relation = (sql: string, columns: readonly ResultColumn[]) =>
  `(${sql}\n) AS result (${columns.map(({ reference }) => reference).join(', ')})`;

/** @see https://owasp.org/www-community/attacks/CSV_Injection */
const isFormula = (cell: string) => String.raw`regexp_matches(${cell}, '^[=+\-@\t\r]')`;
const isText = ({ type }: ResultColumn) => type === DuckDBTypeId.VARCHAR;
const guarded = (cell: string) => `CASE WHEN ${isFormula(cell)} THEN '''' ELSE '' END || ${cell}`;

async function columnsWithFormulas(
  connection: DuckDBConnection,
  sql: string,
  columns: readonly ResultColumn[],
): Promise<string[]> {
  const texts = columns.filter(isText);
  if (texts.length === 0) return [];
  const found = texts.map(({ reference }) => `bool_or(${isFormula(reference)})`);
  const read = await connection.runAndReadAll(`SELECT ${found.join(', ')} FROM ${relation(sql, columns)}`);
  const [row = []] = read.getRowsJson();
  return texts.filter((_, i) => row[i] === true).map(({ name }) => name);
}

const LOCAL_TIMES = [
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
];

function isoTime(column: string, type: DuckDBTypeId, timeZone: string): string {
  const text = (suffix: string) => `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%g${suffix}')`;
  if (LOCAL_TIMES.includes(type)) return text('');
  if (type !== DuckDBTypeId.TIMESTAMP_TZ) return column;
  // DuckDB shortens +08:00 to +08, which JavaScript does not parse.
  return timeZone === 'UTC' ? text('Z') : `regexp_replace(${text('%z')}, '([+-]\\d\\d)$', '\\1:00')`;
}

function copyOptions({ name, isCompressed }: ResultFormat): string {
  const compression = isCompressed ? ', COMPRESSION gzip' : '';
  if (name === 'parquet') return 'FORMAT parquet';
  return `${name === 'json' ? 'FORMAT json, ARRAY' : 'FORMAT csv, HEADER'}${compression}`;
}

/** @throws UsageError if a statement has no result that can be copied. */
function copyable(sql: string, { name }: ResultFormat): string {
  const [, verb = ''] = /^(?:\s|--[^\n]*\n|\/\*.*?\*\/)*(\w+|\()/s.exec(sql) ?? [];
  if (/^(select|with|from|values|\()$/i.test(verb)) return sql;
  if (/^(describe|desc|summarize|show)$/i.test(verb)) return `FROM (${sql}\n)`;
  throw new UsageError(
    `${name} output requires a query (SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE or SHOW). For other statements, omit --format and --out.`,
  );
}
