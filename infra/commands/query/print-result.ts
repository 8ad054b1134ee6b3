import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import { print } from '../../terminal/output.ts';
import { printable } from '../../terminal/printable.ts';
import { textTable } from '../../terminal/text-table.ts';
import type { Context } from '../command-line/command.ts';

const MAX_TABLE_ROWS = 1_000;

/**
 * Prints the result of a query as a table, or with one line per value.
 *
 * @returns A note about the number of rows.
 */
export async function printResult(
  connection: DuckDBConnection,
  sql: string,
  format: 'table' | 'vertical',
  timeZone: string,
  { stdout }: Context,
): Promise<string> {
  const result = await connection.streamAndReadUntil(sql, MAX_TABLE_ROWS + 1);
  const names = result.columnNames();
  const types = result.columnTypes();
  const rows = result.getRowsJson();
  const cells = rows
    .slice(0, MAX_TABLE_ROWS)
    .map((row) => row.map((value, i) => cellOf(value, types[i]?.typeId, timeZone)));
  print(stdout, format === 'table' ? textTable([names, ...cells]) : vertical(names, cells));
  if (rows.length > MAX_TABLE_ROWS)
    return `Only the first ${MAX_TABLE_ROWS} rows are shown. --format csv prints all of them.`;
  return rows.length === 1 ? '1 row' : `${rows.length} rows`;
}

function vertical(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = Math.max(...names.map(({ length }) => length));
  return rows
    .map((row) =>
      names.map((name, i) => `  ${name.padEnd(width)}  ${printable(row[i] ?? '')}`.trimEnd()).join('\n'),
    )
    .join('\n\n');
}

function cellOf(value: unknown, type: DuckDBTypeId | undefined, timeZone: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return JSON.stringify(value);
  const text = String(value);
  if (type === DuckDBTypeId.TIMESTAMP_TZ) return localTime(text, timeZone);
  return type === DuckDBTypeId.DECIMAL ? withoutTrailingZeros(text) : text;
}

/** Shortens a decimal, which DuckDB prints with all its places: `0.122200000000` to `0.1222`, `10.00` to `10`. */
const withoutTrailingZeros = (decimal: string) =>
  decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;

/** Formats a timestamp, which DuckDB prints in UTC, in a time zone: `2026-01-14 04:01:02+08:00`. */
function localTime(utc: string, timeZone: string): string {
  const time = new Date(utc.replace(' ', 'T').replace(/\+00$/, 'Z'));
  if (Number.isNaN(time.getTime())) return utc;
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const offset = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(time)
    .find(({ type }) => type === 'timeZoneName')
    ?.value.replace('GMT', '');
  return `${format.format(time)}${offset === undefined || /^(\+00:00)?$/.test(offset) ? 'Z' : offset}`;
}
