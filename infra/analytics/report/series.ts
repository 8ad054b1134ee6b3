import type { BarSeriesOption } from 'echarts';
import { type Colour, cssColour } from './palette.ts';

/** What has one colour in a chart. */
export interface Series {
  name: string;
  colour: Colour;
  values: readonly number[];
}

/** Bars upon each other, parted by a line that tells them apart without their colours. */
export function stacked(series: readonly Series[], style: BarSeriesOption): BarSeriesOption[] {
  return series.map(({ name, colour, values }) => ({
    type: 'bar',
    stack: 'all',
    name,
    silent: true,
    // Of nothing, not even the line is drawn.
    data: values.map((value) => (value === 0 ? '-' : value)),
    itemStyle: { color: cssColour(colour), borderColor: cssColour('surface'), borderWidth: 0.6 },
    ...style,
  }));
}

/** How the text of an axis looks. */
export const axisText = { color: cssColour('muted'), fontSize: 12.5 };

export const axisLine = { lineStyle: { color: cssColour('line') } };
