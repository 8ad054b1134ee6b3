import type { Figure, Table } from './card.ts';
import { draw } from './draw.ts';
import { cssColour } from './palette.ts';
import { axisText } from './series.ts';

export interface Squares {
  /** The positions from the left and from the top, the value, and the text on hover. */
  squares: readonly { x: number; y: number; value: number; title: string }[];
  columns: readonly string[];
  rows: readonly string[];
  table: Table;
}

/** Squares in columns and rows. Greater values are darker. */
export function squareChart({ squares, columns, rows, table }: Squares): Figure {
  const most = Math.max(...squares.map(({ value }) => value));
  const chart = draw(
    {
      grid: { left: 42, right: 8, top: 4, bottom: 28, outerBoundsMode: 'none' },
      xAxis: {
        type: 'category',
        data: [...columns],
        axisLabel: { ...axisText, interval: 2 },
        axisTick: { show: false },
        axisLine: { show: false },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: [...rows],
        axisLabel: axisText,
        axisTick: { show: false },
        axisLine: { show: false },
      },
      series: {
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [13, 20],
        data: squares.map(({ x, y, value }) => ({
          value: [x, y],
          // The least value remains visible.
          itemStyle: { color: cssColour('blue'), opacity: 0.12 + (0.88 * value) / most },
        })),
      },
    },
    196,
    `Squares: ${table.caption}`,
    (_, index) => squares[index]?.title ?? '',
  );
  return { chart, table };
}
