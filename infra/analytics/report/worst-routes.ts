import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { MIN_ROUTE_LEGS } from '../saved-queries.ts';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { MEAN_MOS } from './facts.ts';
import { QUALITY_BANDS } from './quality-bands.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, countryName, decimal, number, percent, printable } from './wording.ts';

const Route = v.object({
  route: v.string(),
  source_country: v.string(),
  destination_country: v.string(),
  legs: Count,
  mean: v.number(),
  excellent: Count,
  good: Count,
  fair: Count,
  poor: Count,
  bad: Count,
});

const MAX_ROUTES = 10;

/** The routes with the lowest mean call quality. */
export async function worstRoutes(connection: DuckDBConnection): Promise<Card | undefined> {
  const rows = await rowsOf(
    connection,
    Route,
    `SELECT route, source_country, destination_country, count(*) AS legs, ${MEAN_MOS} AS mean,
  ${QUALITY_BANDS.map(({ kind }) => `count(*) FILTER (WHERE mos_band = '${kind}') AS ${kind}`).join(', ')}
FROM leg_facts WHERE mos IS NOT NULL
GROUP BY ALL HAVING legs >= ${MIN_ROUTE_LEGS} ORDER BY mean, route LIMIT ${MAX_ROUTES}`,
  );
  const [worst] = rows;
  if (!worst) return undefined;
  const series = QUALITY_BANDS.map(({ kind, name, colour }) => ({
    name,
    colour,
    values: rows.map((row) => row[kind] / row.legs),
  })).filter(({ values }) => values.some((value) => value > 0));
  const name = (route: string) => printable(route, 14);
  return {
    title: 'Worst routes',
    sentence: `${name(worst.route)} is the worst route, with a mean MOS of ${decimal(worst.mean)} over ${counted(worst.legs, 'leg')}. The chart includes only routes with at least ${MIN_ROUTE_LEGS} scored legs, and shows the mean MOS beside each bar.`,
    figure: {
      chart: barChart({
        label: 'Bars: legs of each route by quality band, in percent; beside each bar, the mean MOS',
        bars: rows.map(({ route, mean }) => ({ name: name(route), value: decimal(mean) })),
        series,
        format: (share) => percent(share, 1),
      }),
      legend: series,
      table: {
        caption: 'Routes by mean opinion score (MOS)',
        columns: ['Route', 'From', 'To', 'Mean MOS', 'Legs', ...series.map((each) => each.name)],
        rows: rows.map(({ route, source_country, destination_country, mean, legs }, i) => [
          name(route),
          countryName(source_country),
          countryName(destination_country),
          decimal(mean),
          number(legs),
          ...series.map(({ values }) => percent(values[i] ?? 0, 1)),
        ]),
      },
    },
  };
}
