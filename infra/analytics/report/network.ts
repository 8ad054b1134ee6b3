import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, duration, percent } from './wording.ts';

const Distribution = v.object({ legs: Count, median: v.number(), p95: v.number() });

const MEASURES = [
  { column: 'ring_seconds', name: 'Ring time', format: duration },
  { column: 'jitter', name: 'Jitter', format: (value: number) => `${value} ms` },
  { column: 'packet_loss_rate', name: 'Packet loss', format: (value: number) => percent(value, 1, 2) },
] as const;

/** The median and the 95th percentile of each measure that some legs have. Returns undefined if there is none. */
export async function network(connection: DuckDBConnection): Promise<Card | undefined> {
  const found = [];
  for (const { column, name, format } of MEASURES) {
    const [row] = await rowsOf(
      connection,
      Distribution,
      `SELECT count(value) AS legs, quantile_disc(value, 0.5) AS median, quantile_disc(value, 0.95) AS p95
FROM (SELECT CAST(${column} AS double) AS value FROM leg_facts) AS measured HAVING legs > 0`,
    );
    if (row) found.push({ name, legs: row.legs, median: format(row.median), p95: format(row.p95) });
  }
  if (found.length === 0) return undefined;
  return {
    title: 'Ring time, jitter and packet loss',
    sentence: found
      .map(
        ({ name, median, p95, legs }) =>
          `${name}: at most ${median} for half of ${counted(legs, 'leg')}, and at most ${p95} for 95% of them.`,
      )
      .join(' '),
    figure: {
      table: {
        caption: 'Ring time, jitter and packet loss of the legs',
        columns: ['Measure', 'Median', '95th percentile', 'Legs'],
        rows: found.map(({ name, median, p95, legs }) => [name, median, p95, legs]),
      },
    },
  };
}
