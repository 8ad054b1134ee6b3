import type { BarSeriesOption } from 'echarts';
import { type Colour, cssColour } from './palette.ts';
import { number } from './wording.ts';

/** The values of one colour in a chart. */
export interface Series {
  /** Empty if the chart has a single measure, which needs no legend. */
  name: string;
  colour: Colour;
  values: readonly number[];
}

/** Stacked bars, separated by a line so that they can be distinguished without colours. */
export function stacked(series: readonly Series[], style: BarSeriesOption): BarSeriesOption[] {
  return series.map(({ name, colour, values }) => ({
    type: 'bar',
    stack: 'all',
    name,
    // A zero would be drawn as a line.
    data: values.map((value) => (value === 0 ? '-' : value)),
    itemStyle: { color: cssColour(colour), borderColor: cssColour('surface'), borderWidth: 0.6 },
    ...style,
  }));
}

/** Describes a value: `Singapore, Failed: 12`. */
export function valueTitle(
  place: string,
  series: Series | undefined,
  index: number,
  format: (value: number) => string = number,
): string {
  const what = [place, series?.name ?? ''].filter((part) => part !== '').join(', ');
  return `${what}: ${format(series?.values[index] ?? 0)}`;
}

export const axisText = { color: cssColour('muted'), fontSize: 12.5 };

export const axisLine = { lineStyle: { color: cssColour('line') } };
