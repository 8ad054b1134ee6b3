import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type DuckDBConnection, DuckDBTypeId } from '@duckdb/node-api';
import { quoted } from '../../analytics/dialect.ts';
import { temporaryFolder } from '../../analytics/duckdb/temporary-folder.ts';
import type { Output } from '../../terminal/output.ts';
import { UsageError } from '../command-line/command.ts';
import type { ResultFormat } from './result-format.ts';

/** Writes the result of a query to a file or a stream. */
export async function writeResult(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat,
  out: string | Output,
  timeZone: string,
): Promise<void> {
  const file = typeof out === 'string' ? out : join(temporaryFolder(), 'result');
  const query = copyable(sql, format);
  // Parquet has a type for times.
  const select = format.name === 'parquet' ? query : await withIsoTimes(connection, query, timeZone);
  await connection.run(`COPY (${select}\n) TO ${quoted(file)} (${copyOptions(format)})`);
  if (typeof out !== 'string') await pipeline(createReadStream(file), out, { end: false });
}

/**
 * Formats the times in a result by ISO 8601: with their offset from UTC, except for local times, which have none. The
 * option TIMESTAMPFORMAT of COPY would give both the same suffix.
 */
async function withIsoTimes(connection: DuckDBConnection, sql: string, timeZone: string): Promise<string> {
  // DuckDB expands PIVOT to several statements.
  const statements = await connection.extractStatements(sql);
  for (let i = 0; i < statements.count - 1; i++) await (await statements.prepare(i)).run();
  const prepared = await statements.prepare(statements.count - 1);
  const columns = Array.from({ length: prepared.columnCount }, (_, i) => {
    const name = `"${prepared.columnName(i).replaceAll('"', '""')}"`;
    return `${isoTime(`c${i}`, prepared.columnTypeId(i), timeZone)} AS ${name}`;
  });
  prepared.destroySync();
  return `SELECT ${columns.join(', ')} FROM (${sql}\n) AS result (${columns.map((_, i) => `c${i}`).join(', ')})`;
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
