import type { Figure, Table } from './card.ts';
import { draw } from './draw.ts';
import { type Colour, cssColour } from './palette.ts';
import { axisLine, axisText } from './series.ts';

export interface Line {
  /** The labels below the points. */
  labels: readonly string[];
  /** Undefined where there is no value: the line has a gap. */
  values: readonly (number | undefined)[];
  colour: Colour;
  /** Formats a value, on the axis and on hover. */
  format: (value: number) => string;
  /** The lowest and the highest possible value. */
  range: readonly [min: number, max: number];
  table: Table;
}

/** A value over time. */
export function lineChart({ labels, values, colour, format, range, table }: Line): Figure {
  const every = Math.ceil(labels.length / 6);
  const known = values.filter((value) => value !== undefined);
  const [min, max] = range;
  const [lowest, highest] = [Math.min(...known), Math.max(...known)];
  const chart = draw(
    {
      // The widest label is 100.0%.
      grid: { left: 60, right: 26, top: 12, bottom: 28, outerBoundsMode: 'none' },
      xAxis: {
        type: 'category',
        boundaryGap: false,
        data: [...labels],
        axisLabel: { ...axisText, interval: (index) => index % every === 0, hideOverlap: false },
        axisTick: { show: false },
        axisLine,
      },
      yAxis: {
        type: 'value',
        // Starting at zero would hide the changes of a mean.
        scale: true,
        // Otherwise, the axis would exceed the possible values.
        ...(highest > 0.97 * max && { max }),
        ...(lowest === highest && { min, max, interval: (max - min) / 4 }),
        splitNumber: 4,
        axisLabel: { ...axisText, formatter: (value) => format(value) },
        splitLine: { lineStyle: { color: cssColour('line') } },
      },
      series: {
        type: 'line',
        data: values.map((value) => value ?? null),
        symbol: 'circle',
        symbolSize: 6,
        showAllSymbol: true,
        lineStyle: { color: cssColour(colour), width: 2 },
        itemStyle: { color: cssColour(colour) },
      },
    },
    220,
    `Line: ${table.caption}`,
    (_, index) => `${labels[index]}: ${format(values[index] ?? 0)}`,
  );
  return { chart, table };
}
