import { draw, WIDTH } from './draw.ts';
import type { Markup } from './html.ts';
import { cssColour } from './palette.ts';
import { axisText, type Series, stacked } from './series.ts';

export interface BarChart {
  label: string;
  /** What each bar is, and its value in words. The first is on top. */
  bars: readonly { name: string; value: string }[];
  series: readonly Series[];
  /** Where the names are: beside the bars, or above them, where there is room for more. Default: beside. */
  names?: 'beside' | 'above';
}

/** Bars below each other, each with its name and its value. */
export function barChart({ label, bars, series, names = 'beside' }: BarChart): Markup {
  const isAbove = names === 'above';
  const height = bars.length * (isAbove ? 40 : 24) + 8;
  const axis = {
    type: 'category',
    inverse: true,
    axisLine: { show: false },
    axisTick: { show: false },
  } as const;
  return draw(
    {
      grid: {
        left: isAbove ? 0 : widthOf(bars.map(({ name }) => name)),
        right: widthOf(bars.map(({ value }) => value)),
        top: 4,
        bottom: 4,
        outerBoundsMode: 'none',
      },
      xAxis: { type: 'value', show: false, max: 'dataMax' },
      yAxis: [
        {
          ...axis,
          data: bars.map(({ name }) => name),
          axisLabel: isAbove
            ? {
                ...axisText,
                color: cssColour('ink'),
                // The longest of 8x8’s documented messages fits.
                fontSize: 12,
                interval: 0,
                inside: true,
                margin: 0,
                verticalAlign: 'bottom',
                // Clear of the bar, in whose middle it would begin.
                padding: [0, 0, 8, 0],
                // ECharts only estimates how wide a text is.
                width: 0.92 * WIDTH,
                overflow: 'truncate',
                ellipsis: '…',
              }
            : {
                ...axisText,
                color: cssColour('ink'),
                interval: 0,
                margin: GAP,
                width: MAX_SIDE,
                overflow: 'truncate',
                ellipsis: '…',
              },
        },
        {
          ...axis,
          position: 'right',
          data: bars.map(({ value }) => value),
          axisLabel: { ...axisText, interval: 0, margin: GAP },
        },
      ],
      series: stacked(series, { barWidth: isAbove ? 9 : 15 }),
    },
    height,
    label,
  );
}

/** How much room texts need on a side of the chart, at some 8 px for a character; longer ones are cut off. */
const widthOf = (texts: readonly string[]) =>
  Math.min(Math.max(...texts.map((text) => text.length)) * 8.2, MAX_SIDE) + GAP;

const MAX_SIDE = 120;

/** Between a text and its bar. */
const GAP = 8;
