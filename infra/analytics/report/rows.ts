import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { shown } from './wording.ts';

/** The rows of a query, each as the schema has it. */
export async function rowsOf<S extends v.GenericSchema>(
  connection: DuckDBConnection,
  schema: S,
  sql: string,
): Promise<v.InferOutput<S>[]> {
  const reader = await connection.runAndReadAll(sql);
  return v.parse(v.array(schema), reader.getRowObjectsJson());
}

/** A count or another whole number: DuckDB writes those of 64 bits as text. */
export const Count = v.pipe(v.union([v.number(), v.string()]), v.transform(Number));

/** A text that 8x8 delivered. */
export const Shown = v.pipe(
  v.string(),
  v.transform((text) => shown(text)),
);

const CountedKind = v.object({ part: v.string(), kind: v.string(), count: Count });

/** The rows of a query that counts by `part` and `kind`. */
export const talliesOf = (connection: DuckDBConnection, sql: string) => rowsOf(connection, CountedKind, sql);
