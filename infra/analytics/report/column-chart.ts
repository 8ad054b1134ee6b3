import type { Figure, Table } from './card.ts';
import { draw } from './draw.ts';
import { cssColour } from './palette.ts';
import { axisLine, axisText, type Series, stacked, valueTitle } from './series.ts';

export interface Columns {
  /** The labels below the columns. */
  labels: readonly string[];
  series: readonly Series[];
  table: Table;
  /** Shows every n-th label only. Default: at most six labels. */
  labelEvery?: number;
  /** The title below the labels. */
  axisTitle?: string;
  /** Formats a value on hover. Default: as a number. Only values without a format are whole numbers. */
  format?: (value: number) => string;
}

const HEIGHT = 220;

/** Vertical columns. */
export function columnChart({ labels, series, table, labelEvery, axisTitle, format }: Columns): Figure {
  const every = labelEvery ?? Math.ceil(labels.length / 6);
  const chart = draw(
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
        data: [...labels],
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
    `Columns: ${table.caption}`,
    (at, index) => valueTitle(labels[index] ?? '', series[at], index, format),
  );
  return { chart, legend: series, table };
}

const compact = new Intl.NumberFormat('en', { notation: 'compact' });
