import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Colour } from './palette.ts';
import { Count, rowsOf } from './rows.ts';
import type { Series } from './series.ts';

const Tally = v.object({ part: v.string(), kind: v.string(), count: Count });

/** The count of one kind in one part. */
export type Tally = v.InferOutput<typeof Tally>;

/** A kind, and how charts show it. */
export interface Kind {
  kind: string;
  name: string;
  colour: Colour;
}

/** Runs a query that counts by `part` and `kind`. The order, which ranks equal counts, is the same each time. */
export const talliesOf = (connection: DuckDBConnection, sql: string) =>
  rowsOf(connection, Tally, `FROM (${sql}) AS tallies ORDER BY ALL`);

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The total of all tallies, or of those of a kind. */
export const totalOf = (tallies: readonly Tally[], ...kinds: readonly string[]) =>
  sum(tallies.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)).map(({ count }) => count));

/** The totals by part or kind, from the greatest to the least. */
export function ranked(tallies: readonly Tally[], key: 'part' | 'kind') {
  return [...Map.groupBy(tallies, (tally) => tally[key])]
    .map(([name, own]) => ({ name, total: totalOf(own) }))
    .toSorted((a, b) => b.total - a.total);
}

/** The counts in each part, as a series for each kind that occurs in them. */
export function seriesOf(
  tallies: readonly Tally[],
  parts: readonly string[],
  kinds: readonly Kind[],
): Series[] {
  const counts = new Map<string, number>();
  const keyOf = (part: string, kind: string) => JSON.stringify([part, kind]);
  for (const { part, kind, count } of tallies)
    counts.set(keyOf(part, kind), (counts.get(keyOf(part, kind)) ?? 0) + count);
  return present(
    kinds.map(({ kind, name, colour }) => ({
      name,
      colour,
      values: parts.map((part) => counts.get(keyOf(part, kind)) ?? 0),
    })),
  );
}

/** The series that have a value. */
export const present = (series: readonly Series[]) =>
  series.filter(({ values }) => values.some((value) => value !== 0));
