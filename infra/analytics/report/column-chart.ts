import type { Figure, Table } from './card.ts';
import { draw, WIDTH } from './draw.ts';
import { cssColour } from './palette.ts';
import { axisText, labelled, type Series, sideOf, stacked, valueTitle } from './series.ts';

export interface Columns {
  /** The labels below the columns. An incomplete one is paler. */
  columns: readonly { label: string; isIncomplete?: boolean }[];
  series: readonly Series[];
  table: Table;
  /** Shows every n-th label only. Default: as many as fit, and the last one. */
  labelEvery?: number;
  /** The title below the labels. */
  axisTitle?: string;
  /** Formats a value on hover. Default: as a number. Only values without a format are whole numbers. */
  format?: (value: number) => string;
  /** Stands below the chart. */
  note?: string | undefined;
}

const HEIGHT = 220;
const LEFT = 42;

/** Vertical columns. */
export function columnChart({
  columns,
  series,
  table,
  labelEvery,
  axisTitle,
  format,
  note,
}: Columns): Figure {
  const labels = columns.map(({ label }) => label);
  const [left, right] = [LEFT, sideOf(labels)];
  const chart = draw(
    {
      grid: {
        left,
        right,
        top: 12,
        bottom: axisTitle === undefined ? 28 : 46,
        outerBoundsMode: 'none',
      },
      xAxis: {
        ...labelled(labels, WIDTH - left - right, labelEvery),
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
      series: stacked(
        series,
        { barCategoryGap: '18%', barMaxWidth: 48 },
        columns.map(({ isIncomplete = false }) => isIncomplete),
      ),
    },
    HEIGHT,
    `Columns: ${table.caption}`,
    (at, index) => valueTitle(labels[index] ?? '', series[at], index, format),
  );
  return { chart, legend: series, note, table };
}

const compact = new Intl.NumberFormat('en', { notation: 'compact' });
