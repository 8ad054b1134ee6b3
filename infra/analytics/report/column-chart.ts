import { draw } from './draw.ts';
import type { Markup } from './html.ts';
import { cssColour } from './palette.ts';
import { axisLine, axisText, type Series, stacked, valueTitle } from './series.ts';

export interface ColumnChart {
  label: string;
  /** The labels below the columns. */
  columns: readonly string[];
  series: readonly Series[];
  /** Shows the label of every n-th column only. Default: at most six labels. */
  labelEvery?: number;
  /** The title below the labels. */
  axisTitle?: string;
  /** Formats a value on hover. Default: as a number. Only values without a format are whole numbers. */
  format?: (value: number) => string;
}

const HEIGHT = 220;

/** Draws vertical columns. */
export function columnChart({ label, columns, series, labelEvery, axisTitle, format }: ColumnChart): Markup {
  const every = labelEvery ?? Math.ceil(columns.length / 6);
  return draw(
    {
      grid: {
        left: 42,
        // Room for half of the last label.
        right: 26,
        top: 12,
        bottom: axisTitle === undefined ? 28 : 46,
        outerBoundsMode: 'none',
      },
      xAxis: {
        type: 'category',
        data: [...columns],
        axisLabel: { ...axisText, interval: (index) => index % every === 0, hideOverlap: false },
        axisTick: { show: false },
        axisLine,
        name: axisTitle ?? '',
        nameLocation: 'middle',
        nameGap: 30,
        nameTextStyle: axisText,
      },
      yAxis: {
        type: 'value',
        ...(format === undefined && { minInterval: 1 }),
        splitNumber: 4,
        axisLabel: { ...axisText, formatter: (value) => compact.format(value) },
        splitLine: { lineStyle: { color: cssColour('line') } },
      },
      series: stacked(series, { barCategoryGap: '18%', barMaxWidth: 48 }),
    },
    HEIGHT,
    label,
    (at, index) => valueTitle(columns[index] ?? '', series[at], index, format),
  );
}

const compact = new Intl.NumberFormat('en', { notation: 'compact' });
