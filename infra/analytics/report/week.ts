import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { draw } from './draw.ts';
import type { Markup } from './html.ts';
import { cssColour } from './palette.ts';
import { Count, rowsOf } from './rows.ts';
import { axisText } from './series.ts';
import { DAY, type Timeline } from './timeline.ts';
import { clock, counted } from './wording.ts';

const Cell = v.object({ weekday: Count, hour: Count, sessions: Count });
interface Cell extends v.InferOutput<typeof Cell> {
  /** Sessions per such weekday of the period: it may contain five Mondays and four Fridays. */
  mean: number;
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour));

/** The sessions by weekday and hour. Returns undefined if they are not of several weekdays. */
export async function week(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
  timeZone: string,
): Promise<Card | undefined> {
  if (!timeline) return undefined;
  const counts = await rowsOf(
    connection,
    Cell,
    `SELECT isodow(day) AS weekday, start_hour AS hour, count(*) AS sessions
FROM session_facts WHERE day IS NOT NULL GROUP BY ALL ORDER BY weekday, hour`,
  );
  const days = weekdaysIn(timeline);
  const cells = counts
    .map((cell) => ({ ...cell, mean: cell.sessions / (days[cell.weekday] ?? 1) }))
    .toSorted((a, b) => b.mean - a.mean);
  const [busiest] = cells;
  if (!busiest || new Set(cells.map(({ weekday }) => weekday)).size < 2) return undefined;
  return {
    title: 'Weekdays and hours',
    sentence: `The busiest hour of the week (${timeZone}) is ${nameOf(busiest)}, with ${onAverage(busiest)}. Darker squares have more sessions.`,
    figure: {
      chart: squares(cells, timeZone),
      table: {
        caption: `Sessions by weekday and hour (${timeZone})`,
        columns: ['Hour', ...WEEKDAYS],
        rows: HOURS.map((hour) => [
          clock(Number(hour)),
          ...WEEKDAYS.map(
            (_, i) =>
              cells.find((cell) => cell.weekday === i + 1 && cell.hour === Number(hour))?.sessions ?? 0,
          ),
        ]),
      },
    },
  };
}

/** The number of days of each weekday in the period, by the ISO number of the weekday. */
function weekdaysIn({ first, last }: Timeline): Record<number, number> {
  const days: Record<number, number> = {};
  for (let day = Date.parse(first); day <= Date.parse(last); day += DAY) {
    const weekday = new Date(day).getUTCDay() || 7;
    days[weekday] = (days[weekday] ?? 0) + 1;
  }
  return days;
}

/** `4.5 sessions on average`. */
const onAverage = ({ mean }: Cell) => `${counted(Math.round(mean * 10) / 10, 'session')} on average`;

/** `Friday, 02:00`. */
const nameOf = ({ weekday, hour }: Cell) => `${WEEKDAYS[weekday - 1]}, ${clock(hour)}`;

/** Draws a square for each hour of the week that has sessions. The most frequent hour comes first. */
function squares(cells: readonly Cell[], timeZone: string): Markup {
  const most = cells[0]?.mean ?? 0;
  return draw(
    {
      grid: { left: 42, right: 8, top: 4, bottom: 28, outerBoundsMode: 'none' },
      xAxis: {
        type: 'category',
        data: HOURS,
        axisLabel: { ...axisText, interval: 2 },
        axisTick: { show: false },
        axisLine: { show: false },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: WEEKDAYS.map((day) => day.slice(0, 3)),
        axisLabel: axisText,
        axisTick: { show: false },
        axisLine: { show: false },
      },
      series: {
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [13, 20],
        data: cells.map(({ weekday, hour, mean }) => ({
          value: [hour, weekday - 1],
          // The least frequent hour remains visible.
          itemStyle: { color: cssColour('blue'), opacity: 0.12 + (0.88 * mean) / most },
        })),
      },
    },
    196,
    `Squares: sessions by weekday and hour (${timeZone}), darker for more sessions`,
    (_, index) => {
      const cell = cells[index];
      return cell ? `${nameOf(cell)}: ${onAverage(cell)}` : '';
    },
  );
}
