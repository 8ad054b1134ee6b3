import type { Cell, Figure } from './card.ts';
import { draw, WIDTH } from './draw.ts';
import { cssColour } from './palette.ts';
import { axisText, type Series, stacked, valueTitle } from './series.ts';
import { number } from './wording.ts';

interface Bar {
  name: string;
  /** The formatted value. */
  value: string;
  /** The row of the table. */
  cells: readonly Cell[];
  /** Whether it is the last one, and stands for all others. It is only in the table, because its length would set the scale. */
  isRest?: boolean;
}

export interface Bars {
  caption: string;
  /** The headings of the table. */
  columns: readonly string[];
  /** From top to bottom. */
  bars: readonly Bar[];
  series: readonly Series[];
  /** The position of the names: beside the bars, or above them, which leaves room for longer ones. Default: above. */
  names?: keyof typeof LAYOUTS;
  /** Formats a value on hover. Default: as a number. */
  format?: (value: number) => string;
}

/** The distance between a text and its bar, and the maximum width of a text beside it. */
const GAP = 8;
const MAX_SIDE = 120;

const nameText = {
  ...axisText,
  color: cssColour('ink'),
  interval: 0,
  overflow: 'truncate',
  ellipsis: '…',
} as const;

const hidden = { show: false };
const axis = { type: 'category', inverse: true, axisLine: hidden, axisTick: hidden } as const;

/** The layouts, by the position of the names. */
const LAYOUTS = {
  beside: { rowHeight: 24, barWidth: 15, axisLabel: { ...nameText, margin: GAP, width: MAX_SIDE } },
  above: {
    rowHeight: 40,
    barWidth: 9,
    axisLabel: {
      ...nameText,
      // Fits the longest message that 8x8 documents.
      fontSize: 12,
      inside: true,
      margin: 0,
      verticalAlign: 'bottom' as const,
      // Moves the name above the bar. Without it, the name starts in the middle of the bar.
      padding: [0, 0, 8, 0],
      // Less than the full width, because ECharts only estimates the width of a text.
      width: 0.92 * WIDTH,
    },
  },
};

/** Horizontal bars, each with its name and its value. */
export function barChart({
  caption,
  columns,
  bars: all,
  series,
  names = 'above',
  format = number,
}: Bars): Figure {
  const { rowHeight, barWidth, axisLabel } = LAYOUTS[names];
  const bars = all.filter(({ isRest = false }) => !isRest);
  const rest = all.find(({ isRest = false }) => isRest);
  const nameTexts = bars.map(({ name }) => name);
  const valueTexts = bars.map(({ value }) => value);
  const chart = draw(
    {
      grid: {
        left: names === 'above' ? 0 : widthOf(nameTexts),
        right: widthOf(valueTexts),
        top: 4,
        bottom: 4,
        outerBoundsMode: 'none',
      },
      xAxis: { type: 'value', show: false, max: 'dataMax' },
      yAxis: [
        { ...axis, data: nameTexts, axisLabel },
        {
          ...axis,
          position: 'right',
          data: valueTexts,
          axisLabel: { ...axisText, interval: 0, margin: GAP },
        },
      ],
      series: stacked(
        series.map((each) => ({ ...each, values: each.values.slice(0, bars.length) })),
        { barWidth },
      ),
    },
    bars.length * rowHeight + 8,
    `Bars: ${caption}`,
    (at, index) => valueTitle(bars[index]?.name ?? '', series[at], index, format),
  );
  return {
    chart,
    legend: series,
    note: rest && `Only in the table: ${rest.name} (${rest.value}).`,
    table: { caption, columns, rows: all.map(({ cells }) => cells) },
  };
}

/** The width that texts need on a side of the bars, at about 8 px per character. Longer ones are truncated. */
const widthOf = (texts: readonly string[]) =>
  Math.min(Math.max(...texts.map((text) => text.length)) * 8.2, MAX_SIDE) + GAP;
