import type { Figure } from './card.ts';
import { columnChart } from './column-chart.ts';
import { crossTabulate, sum } from './cross-tabulate.ts';
import type { Colour } from './palette.ts';
import type { Tally } from './rows.ts';
import { HEADINGS, partLabel, type Timeline } from './timeline.ts';

/** Sessions by time and kind. Those without a plausible start date are only in the table. */
export function overTime(
  timeline: Timeline,
  tallies: readonly Tally[],
  kinds: readonly { kind: string; name: string; colour: Colour }[],
  caption: string,
): Figure {
  const { parts, unit } = timeline;
  const counts = crossTabulate(
    tallies,
    parts,
    kinds.map(({ kind }) => kind),
  );
  const series = kinds
    .map(({ kind, name, colour }, i) => ({
      name,
      colour,
      values: counts[i] ?? [],
      outside: sum(
        tallies.filter((each) => each.kind === kind && !parts.includes(each.part)).map(({ count }) => count),
      ),
    }))
    .filter(({ values, outside }) => sum(values) + outside > 0);
  return {
    chart: columnChart({
      label: `Columns: ${caption}`,
      columns: parts.map((part) => partLabel(part, unit)),
      series,
    }),
    legend: series,
    table: {
      caption,
      columns: [HEADINGS[unit], ...series.map(({ name }) => name)],
      rows: [
        ...parts.map((part, i) => [part, ...series.map(({ values }) => values[i] ?? 0)]),
        ...(series.some(({ outside }) => outside > 0)
          ? [['Not in the chart', ...series.map(({ outside }) => outside)]]
          : []),
      ],
    },
  };
}
