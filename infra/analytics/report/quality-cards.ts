import * as v from 'valibot';
import { MIN_ROUTE_LEGS } from '../saved-queries.ts';
import { barChart } from './bar-chart.ts';
import { columnChart } from './column-chart.ts';
import { MEAN_MOS } from './facts.ts';
import { rateOverTime } from './rate-over-time.ts';
import type { MakeCard } from './report.ts';
import { Count, rowsOf } from './rows.ts';
import { type Kind, present, seriesOf, talliesOf, totalOf } from './tallies.ts';
import { counted, countryName, decimal, duration, percent, printable } from './wording.ts';

/** The values of `mos_band`, from best to worst. */
const QUALITY_BANDS = [
  { kind: 'excellent', name: 'Excellent', colour: 'blue' },
  { kind: 'good', name: 'Good', colour: 'sky' },
  { kind: 'fair', name: 'Fair', colour: 'amber' },
  { kind: 'poor', name: 'Poor', colour: 'orange' },
  { kind: 'bad', name: 'Bad', colour: 'red' },
] as const satisfies readonly Kind[];

/** The scores from 1.0 to 5.0 in steps of 0.1. Charts always show all of them, so that reports are comparable. */
const SCORES = Array.from({ length: 41 }, (_, i) => ((10 + i) / 10).toFixed(1));

const callQuality: MakeCard = async ({ connection }) => {
  // Scores are stored as decimals, but 4.3 as a binary number is slightly less. The addend compensates for that.
  const tallies = await talliesOf(
    connection,
    `SELECT printf('%.1f', floor(mos * 10 + 1e-6) / 10) AS part, mos_band AS kind, count(*) AS count
FROM leg_facts WHERE mos IS NOT NULL GROUP BY ALL`,
  );
  const legs = totalOf(tallies);
  if (legs === 0) return undefined;
  const series = seriesOf(tallies, SCORES, QUALITY_BANDS);
  return {
    title: 'Call quality',
    sentence: `${percent(totalOf(tallies, 'excellent', 'good'), legs)} of ${counted(legs, 'scored leg')} were good or excellent, ${percent(totalOf(tallies, 'poor', 'bad'), legs)} poor or bad.`,
    figure: columnChart({
      columns: SCORES.map((label) => ({ label })),
      series,
      labelEvery: 5,
      axisTitle: 'Mean opinion score (MOS)',
      table: {
        caption: 'Legs by mean opinion score (MOS)',
        columns: ['MOS', 'Band', 'Legs'],
        rows: SCORES.flatMap((score, i) =>
          series.flatMap(({ name, values }) => (values[i] ? [[score, name, values[i]]] : [])),
        ),
      },
    }),
  };
};

const qualityOverTime: MakeCard = (report) =>
  rateOverTime(report, {
    title: 'Mean MOS over time',
    noun: 'leg',
    heading: 'Legs',
    value: MEAN_MOS,
    from: 'leg_facts WHERE mos IS NOT NULL',
    format: decimal,
    axis: { range: [1, 5], span: 0.4 },
  });

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

const worstRoutes: MakeCard = async ({ connection }) => {
  const rows = await rowsOf(
    connection,
    Route,
    `SELECT route, source_country, destination_country, count(*) AS legs, ${MEAN_MOS} AS mean,
  ${QUALITY_BANDS.map(({ kind }) => `count(*) FILTER (WHERE mos_band = '${kind}') AS ${kind}`).join(', ')}
FROM leg_facts WHERE mos IS NOT NULL
GROUP BY ALL HAVING legs >= ${MIN_ROUTE_LEGS} ORDER BY mean, route LIMIT ${MAX_ROUTES}`,
  );
  const series = present(
    QUALITY_BANDS.map(({ kind, ...style }) => ({
      ...style,
      values: rows.map((row) => row[kind] / row.legs),
    })),
  );
  const bars = rows.map(({ route, source_country, destination_country, mean, legs }, i) => {
    const [name, value] = [printable(route, 14), decimal(mean)];
    const shares = series.map(({ values }) => percent(values[i] ?? 0, 1));
    const cells = [
      name,
      countryName(source_country),
      countryName(destination_country),
      value,
      legs,
      ...shares,
    ];
    return { name, value, legs, cells };
  });
  const [worst] = bars;
  if (!worst) return undefined;
  return {
    title: 'Worst routes',
    sentence: `${worst.name} is the worst route, with a mean MOS of ${worst.value} over ${counted(worst.legs, 'leg')}. The chart includes only routes with at least ${MIN_ROUTE_LEGS} scored legs, and shows the mean MOS beside each bar.`,
    figure: barChart({
      caption: 'Routes by mean opinion score (MOS)',
      columns: ['Route', 'From', 'To', 'Mean MOS', 'Legs', ...series.map((each) => each.name)],
      bars,
      series,
      names: 'beside',
      format: (share) => percent(share, 1),
    }),
  };
};

const Distribution = v.object({ legs: Count, median: v.number(), p95: v.number() });

const MEASURES = [
  { column: 'ring_seconds', name: 'Ring time', format: duration },
  { column: 'jitter', name: 'Jitter', format: (value: number) => `${value} ms` },
  { column: 'packet_loss_rate', name: 'Packet loss', format: (value: number) => percent(value, 1, 2) },
] as const;

/** The median and the 95th percentile of each measure that some legs have. */
const network: MakeCard = async ({ connection }) => {
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
};

/** How calls sound. */
export const QUALITY_CARDS: readonly MakeCard[] = [callQuality, qualityOverTime, worstRoutes, network];
