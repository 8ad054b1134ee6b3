import type { DuckDBConnection } from '@duckdb/node-api';
import type { Card } from './card.ts';
import { columnChart } from './column-chart.ts';
import { crossTabulate, sum } from './cross-tabulate.ts';
import { QUALITY_BANDS } from './quality-bands.ts';
import { talliesOf } from './rows.ts';
import { counted, percent } from './wording.ts';

/** The scores from 1.0 to 5.0 in steps of 0.1. Charts always show all of them, so that reports are comparable. */
const SCORES = Array.from({ length: 41 }, (_, i) => ((10 + i) / 10).toFixed(1));

/** The distribution of the call quality of legs. */
export async function callQuality(connection: DuckDBConnection): Promise<Card | undefined> {
  // Scores are stored as decimals, but 4.3 as a binary number is slightly less. The addend compensates for that.
  const tallies = await talliesOf(
    connection,
    `SELECT printf('%.1f', floor(mos * 10 + 1e-6) / 10) AS part, mos_band AS kind, count(*) AS count
FROM leg_facts WHERE mos IS NOT NULL GROUP BY ALL`,
  );
  const legs = sum(tallies.map(({ count }) => count));
  if (legs === 0) return undefined;
  const counts = crossTabulate(
    tallies,
    SCORES,
    QUALITY_BANDS.map(({ kind }) => kind),
  );
  const series = QUALITY_BANDS.map(({ name, colour }, i) => ({
    name,
    colour,
    values: counts[i] ?? [],
  })).filter(({ values }) => sum(values) > 0);
  const inBands = (...bands: string[]) =>
    sum(tallies.filter(({ kind }) => bands.includes(kind)).map(({ count }) => count));
  return {
    title: 'Call quality',
    sentence: `${percent(inBands('excellent', 'good'), legs)} of ${counted(legs, 'scored leg')} were good or excellent, ${percent(inBands('poor', 'bad'), legs)} poor or bad.`,
    figure: {
      chart: columnChart({
        label: 'Columns: legs by mean opinion score, from 1.0 to 5.0',
        columns: SCORES,
        series,
        labelEvery: 5,
        axisTitle: 'Mean opinion score (MOS)',
      }),
      legend: series,
      table: {
        caption: 'Legs by mean opinion score (MOS)',
        columns: ['MOS', 'Band', 'Legs'],
        rows: SCORES.flatMap((score, i) =>
          series.flatMap(({ name, values }) => (values[i] ? [[score, name, values[i]]] : [])),
        ),
      },
    },
  };
}
