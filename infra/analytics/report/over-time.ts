import type { Figure } from './card.ts';
import { columnChart } from './column-chart.ts';
import { type Kind, seriesOf, type Tally } from './tallies.ts';
import { HEADINGS, partLabel, type Timeline } from './timeline.ts';

const OUTSIDE = 'Not in the chart';

/** Sessions by time and kind. Those without a plausible start date are only in the table. */
export function overTime(
  { parts, unit }: Timeline,
  tallies: readonly Tally[],
  kinds: readonly Kind[],
  caption: string,
): Figure {
  const placed = tallies.map((tally) => (parts.includes(tally.part) ? tally : { ...tally, part: OUTSIDE }));
  const series = seriesOf(placed, [...parts, OUTSIDE], kinds);
  const listed = placed.some(({ part }) => part === OUTSIDE) ? [...parts, OUTSIDE] : parts;
  return columnChart({
    labels: parts.map((part) => partLabel(part, unit)),
    series: series.map((each) => ({ ...each, values: each.values.slice(0, parts.length) })),
    table: {
      caption,
      columns: [HEADINGS[unit], ...series.map(({ name }) => name)],
      rows: listed.map((part, i) => [part, ...series.map(({ values }) => values[i] ?? 0)]),
    },
  });
}
