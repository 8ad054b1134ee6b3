import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { printable } from './wording.ts';

/** Runs a query, and parses each row. */
export async function rowsOf<S extends v.GenericSchema>(
  connection: DuckDBConnection,
  schema: S,
  sql: string,
): Promise<v.InferOutput<S>[]> {
  const reader = await connection.runAndReadAll(sql);
  return v.parse(v.array(schema), reader.getRowObjectsJson());
}

/** An integer. DuckDB returns 64-bit integers as text. */
export const Count = v.pipe(v.union([v.number(), v.string()]), v.transform(Number));

/** A text that 8x8 delivered, made safe to print. */
export const PrintableText = v.pipe(
  v.string(),
  v.transform((text) => printable(text)),
);

/**
 * SQL with the first groups of a query, and a last row for all others. `members` is the number of groups in a row.
 *
 * @param groups A query with one row per group.
 * @param order What ranks the groups.
 * @param key The column that names a group, aggregated, such as `min(country) AS country`. In the row of the others, its
 *   value means nothing.
 * @param sums The columns to add up.
 */
export function firstGroups(
  groups: string,
  { order, limit, key, sums }: { order: string; limit: number; key: string; sums: readonly string[] },
): string {
  return `SELECT ${key}, count(*) AS members, ${sums.map((column) => `sum(${column}) AS ${column}`).join(', ')}
FROM (SELECT *, least(row_number() OVER (ORDER BY ${order}), ${limit + 1}) AS place FROM (${groups}) AS groups) AS ranked
GROUP BY place ORDER BY place`;
}
