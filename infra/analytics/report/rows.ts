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

const Tally = v.object({ part: v.string(), kind: v.string(), count: Count });

/** The count of one kind in one part. */
export type Tally = v.InferOutput<typeof Tally>;

/** Runs a query that counts by `part` and `kind`. The order, which ranks equal counts, is the same each time. */
export const talliesOf = (connection: DuckDBConnection, sql: string) =>
  rowsOf(connection, Tally, `FROM (${sql}) AS tallies ORDER BY ALL`);
