import type { Figure, Table } from './card.ts';
import { draw, WIDTH } from './draw.ts';
import { type Colour, cssColour } from './palette.ts';
import { axisText, labelled, sideOf } from './series.ts';

export interface Line {
  /** The label below each point, and its value. Without a value, the line has a gap. An incomplete point is hollow. */
  points: readonly { label: string; value: number | undefined; isIncomplete: boolean }[];
  colour: Colour;
  /** Formats a value, on the axis and on hover. */
  format: (value: number) => string;
  axis: Axis;
  table: Table;
  /** Stands below the chart. */
  note: string | undefined;
}

interface Axis {
  /** The lowest and the highest possible value. */
  range: readonly [min: number, max: number];
  /** The least span. With a smaller one, differences that mean nothing would look large. */
  span: number;
}

/** The widest label is 100.0%. */
const LEFT = 60;

/** A value over time. */
export function lineChart({ points, colour, format, axis, table, note }: Line): Figure {
  const labels = points.map(({ label }) => label);
  const right = sideOf(labels);
  const chart = draw(
    {
      grid: { left: LEFT, right, top: 12, bottom: 28, outerBoundsMode: 'none' },
      xAxis: { boundaryGap: false, ...labelled(labels, WIDTH - LEFT - right) },
      yAxis: {
        type: 'value',
        ...scaleOf(
          points.flatMap(({ value }) => value ?? []),
          axis,
        ),
        axisLabel: { ...axisText, formatter: (value) => format(value) },
        splitLine: { lineStyle: { color: cssColour('line') } },
      },
      series: {
        type: 'line',
        data: points.map(({ value = null, isIncomplete }) => ({
          value,
          ...(isIncomplete && { itemStyle: { color: cssColour('surface') } }),
        })),
        symbol: 'circle',
        symbolSize: 5,
        showAllSymbol: true,
        lineStyle: { color: cssColour(colour), width: 2 },
        itemStyle: { color: cssColour(colour), borderColor: cssColour(colour), borderWidth: 2 },
      },
    },
    220,
    `Line: ${table.caption}`,
    (_, index) => `${labels[index]}: ${format(points[index]?.value ?? 0)}`,
  );
  return { chart, note, table };
}

/** An axis with about four intervals around the values. It does not start at zero, which would hide the changes of a mean. */
export function scaleOf(values: readonly number[], { range: [least, greatest], span }: Axis) {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const missing = Math.max(0, span - (highest - lowest)) / 2;
  const interval = roundedUp((highest - lowest + 2 * missing) / 4);
  const steps = (value: number) => Number((value / interval).toFixed(6));
  return {
    min: Math.max(least, Math.floor(steps(lowest - missing)) * interval),
    max: Math.min(greatest, Math.ceil(steps(highest + missing)) * interval),
    interval,
  };
}

/** The next number that is 1, 2, 2.5 or 5 times a power of ten. */
function roundedUp(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return (
    [1, 2, 2.5, 5, 10].map((digit) => digit * magnitude).find((each) => each >= value * (1 - 1e-9)) ?? value
  );
}
