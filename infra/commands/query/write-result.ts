import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../../analytics/dialect.ts';
import { temporaryFolder } from '../../analytics/duckdb/temporary-folder.ts';
import { UsageError } from '../command-line/command.ts';
import type { ResultFormat } from './result-format.ts';

/** Writes the result of a query to a file, or to standard output. */
export async function writeResult(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat,
  out: string | undefined,
  timeZone: string,
): Promise<void> {
  const file = out ?? join(temporaryFolder(), 'result');
  await connection.run(
    `COPY (${copyable(sql, format)}\n) TO ${quoted(file)} (${copyOptions(format, timeZone)})`,
  );
  if (out === undefined) await pipeline(createReadStream(file), process.stdout, { end: false });
}

/** The options of DuckDB's COPY. Times carry their offset from UTC; Parquet has a type for that. */
export function copyOptions({ name, isCompressed }: ResultFormat, timeZone: string): string {
  const times = quoted(`%Y-%m-%dT%H:%M:%S.%g${timeZone === 'UTC' ? 'Z' : '%z'}`);
  const compression = isCompressed ? ', COMPRESSION gzip' : '';
  if (name === 'parquet') return 'FORMAT parquet';
  return name === 'json'
    ? `FORMAT json, ARRAY, TIMESTAMPFORMAT ${times}${compression}`
    : `FORMAT csv, HEADER, TIMESTAMPFORMAT ${times}${compression}`;
}

/** @throws UsageError if a statement has no result that can be copied. */
function copyable(sql: string, { name }: ResultFormat): string {
  const [, verb = ''] = /^\s*(?:--.*\n\s*)*(\w+|\()/.exec(sql) ?? [];
  if (/^(select|with|from|values|\()$/i.test(verb)) return sql;
  if (/^(describe|desc|summarize|show)$/i.test(verb)) return `FROM (${sql}\n)`;
  throw new UsageError(
    `${name} output requires a query (SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE or SHOW). For other statements, omit --format and --out.`,
  );
}
