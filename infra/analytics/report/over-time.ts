import type { Figure } from './card.ts';
import { columnChart } from './column-chart.ts';
import { type Kind, seriesOf, type Tally } from './tallies.ts';
import { HEADINGS, type Timeline } from './timeline.ts';

/** Sessions by time and kind. Those without a plausible start date, whose part is empty, are only in the table. */
export function overTime(
  { parts, unit, note }: Timeline,
  tallies: readonly Tally[],
  kinds: readonly Kind[],
  caption: string,
): Figure {
  const outside = tallies.some(({ part }) => part === '') ? [{ start: '', name: 'Not in the chart' }] : [];
  const listed = [...parts, ...outside];
  const series = seriesOf(
    tallies,
    listed.map(({ start }) => start),
    kinds,
  );
  return columnChart({
    columns: parts,
    series: series.map((each) => ({ ...each, values: each.values.slice(0, parts.length) })),
    note,
    table: {
      caption,
      columns: [HEADINGS[unit], ...series.map(({ name }) => name)],
      rows: listed.map(({ name }, i) => [name, ...series.map(({ values }) => values[i] ?? 0)]),
    },
  });
}
