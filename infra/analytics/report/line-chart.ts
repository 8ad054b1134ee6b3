import { draw } from './draw.ts';
import type { Markup } from './html.ts';
import { type Colour, cssColour } from './palette.ts';
import { axisLine, axisText } from './series.ts';

export interface LineChart {
  label: string;
  /** The labels below the points. */
  columns: readonly string[];
  /** Undefined where there is no value: the line has a gap. */
  values: readonly (number | undefined)[];
  colour: Colour;
  /** Formats a value, on the axis and on hover. */
  format: (value: number) => string;
  /** The lowest and the highest possible value. */
  range: readonly [min: number, max: number];
}

/** Draws a value over time. */
export function lineChart({ label, columns, values, colour, format, range }: LineChart): Markup {
  const every = Math.ceil(columns.length / 6);
  const known = values.filter((value) => value !== undefined);
  const [min, max] = range;
  const [lowest, highest] = [Math.min(...known), Math.max(...known)];
  return draw(
    {
      // The widest label is 100.0%.
      grid: { left: 60, right: 26, top: 12, bottom: 28, outerBoundsMode: 'none' },
      xAxis: {
        type: 'category',
        boundaryGap: false,
        data: [...columns],
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
    label,
    (_, index) => `${columns[index]}: ${format(values[index] ?? 0)}`,
  );
}
