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

/**
 * Stacked bars, separated by a line so that they can be distinguished without colours.
 *
 * @param incomplete Which of the bars are paler.
 */
export function stacked(
  series: readonly Series[],
  style: BarSeriesOption,
  incomplete: readonly boolean[] = [],
): BarSeriesOption[] {
  return series.map(({ name, colour, values }) => ({
    type: 'bar',
    stack: 'all',
    name,
    // A zero would be drawn as a line.
    data: values.map((value, i) => {
      if (value === 0) return '-';
      return incomplete[i] ? { value, itemStyle: { opacity: 0.45 } } : value;
    }),
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

/** The width of the longest label, at about 8 px per character. */
const widthOf = (labels: readonly string[]) => 8 * Math.max(...labels.map(({ length }) => length));

/** Room beside a chart for half of the last label. */
export const sideOf = (labels: readonly string[]) => Math.max(12, Math.ceil(widthOf(labels) / 2));

/** An axis below a chart. Labels do not overlap. */
export function labelled(labels: readonly string[], width: number, every?: number) {
  const fitting = Math.ceil((labels.length * (widthOf(labels) + 4)) / width);
  const interval = (index: number) =>
    every === undefined ? (labels.length - 1 - index) % fitting === 0 : index % every === 0;
  return {
    type: 'category' as const,
    data: [...labels],
    axisLabel: { ...axisText, interval, hideOverlap: false },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: cssColour('line') } },
  };
}
