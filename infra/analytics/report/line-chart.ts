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
  /** The highest possible value. */
  max: number;
}

/** Draws a value over time. */
export function lineChart({ label, columns, values, colour, format, max }: LineChart): Markup {
  const every = Math.ceil(columns.length / 6);
  return draw(
    {
      grid: { left: 54, right: 26, top: 12, bottom: 28, outerBoundsMode: 'none' },
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
        // Otherwise, the axis would exceed the highest possible value.
        ...(Math.max(...values.map((value) => value ?? 0)) > 0.97 * max && { max }),
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
