import * as v from 'valibot';
import { quoted } from '../dialect.ts';
import { columnChart } from './column-chart.ts';
import { daysAfter } from './period.ts';
import type { MakeCard } from './report.ts';
import { Count, rowsOf } from './rows.ts';
import { squareChart } from './square-chart.ts';
import { sum } from './tallies.ts';
import type { Timeline } from './timeline.ts';
import { clock, counted, duration, number, percent } from './wording.ts';

/** The lower bound of each column, in seconds. Each is about twice the previous one. */
const BOUNDS = [1, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

const TalkTime = v.object({
  sessions: Count,
  seconds: Count,
  median: v.nullable(Count),
  p95: v.nullable(Count),
});
const Bucket = v.object({ bound: Count, sessions: Count });

const talkTime: MakeCard = async ({ connection }) => {
  const [all] = await rowsOf(
    connection,
    TalkTime,
    `SELECT count(*) AS sessions, coalesce(sum(talk_seconds), 0) AS seconds,
  quantile_disc(talk_seconds, 0.5) AS median, quantile_disc(talk_seconds, 0.95) AS p95
FROM session_facts WHERE talk_seconds > 0`,
  );
  if (!all || all.median === null || all.p95 === null) return undefined;
  const rows = await rowsOf(
    connection,
    Bucket,
    `SELECT CASE ${BOUNDS.toReversed()
      .map((bound) => `WHEN talk_seconds >= ${bound} THEN ${bound}`)
      .join(' ')} END AS bound, count(*) AS sessions
FROM session_facts WHERE talk_seconds > 0 GROUP BY ALL`,
  );
  const values = BOUNDS.map((bound) => rows.find((row) => row.bound === bound)?.sessions ?? 0);
  return {
    title: 'Talk time',
    sentence: `${counted(all.sessions, 'session')} with a talk time of ${duration(all.seconds)} in total. The median is ${duration(all.median)}, the 95th percentile ${duration(all.p95)}.`,
    figure: columnChart({
      columns: BOUNDS.map((bound) => ({ label: duration(bound) })),
      series: [{ name: '', colour: 'blue', values }],
      axisTitle: 'Talk time (at least)',
      table: {
        caption: 'Sessions by talk time',
        columns: ['Talk time', 'Sessions', 'Share'],
        rows: BOUNDS.map((bound, i) => [
          BOUNDS[i + 1] === undefined
            ? `${duration(bound)} or more`
            : `${duration(bound)} to less than ${duration(BOUNDS[i + 1] ?? 0)}`,
          values[i] ?? 0,
          percent(values[i] ?? 0, all.sessions),
        ]),
      },
    }),
  };
};

const Hour = v.object({ hour: v.nullable(Count), sessions: Count, answered: Count });

/** The hours in which sessions start. */
const busyHours: MakeCard = async ({ connection, timeline, timeZone }) => {
  const found = await rowsOf(
    connection,
    Hour,
    `SELECT start_hour AS hour, count(*) AS sessions, count(*) FILTER (WHERE outcome = 'answered') AS answered
FROM session_facts GROUP BY start_hour`,
  );
  const rows = found.flatMap(({ hour, ...counts }) => (hour === null ? [] : [{ hour, ...counts }]));
  const unknown = sum(found.map(({ hour, sessions }) => (hour === null ? sessions : 0)));
  const [busiest] = rows.toSorted((a, b) => b.sessions - a.sessions || a.hour - b.hour);
  if (!busiest) return undefined;
  const hours = Array.from(
    { length: 24 },
    (_, hour) => rows.find((row) => row.hour === hour) ?? { hour, sessions: 0, answered: 0 },
  );
  const series = [
    { name: 'Answered', colour: 'blue', values: hours.map(({ answered }) => answered) },
    {
      name: 'Other outcomes',
      colour: 'grey',
      values: hours.map(({ sessions, answered }) => sessions - answered),
    },
  ] as const;
  return {
    title: 'Busy hours',
    sentence: `The busiest hour is ${clock(busiest.hour)} to ${clock(busiest.hour + 1)} ${timeZone}, with ${counted(busiest.sessions, 'session')}, of which ${percent(busiest.answered, busiest.sessions)} were answered.${unknown > 0 ? ` The chart excludes ${counted(unknown, 'session')} without a start time.` : ''}`,
    figure: columnChart({
      columns: hours.map(({ hour }) => ({ label: String(hour) })),
      series,
      labelEvery: 3,
      axisTitle: `Hour of the day (${timeZone})`,
      note: timeline?.note?.replace('* Incomplete:', 'Some days are incomplete:'),
      table: {
        caption: `Sessions by hour of the day (${timeZone})`,
        columns: ['Hour', 'Sessions', 'Answered', 'Answered %'],
        rows: hours.map(({ hour, sessions, answered }) => [
          clock(hour),
          sessions,
          answered,
          percent(answered, sessions),
        ]),
      },
    }),
  };
};

const Cell = v.object({ weekday: Count, hour: Count, sessions: Count });
interface Cell extends v.InferOutput<typeof Cell> {
  /** Sessions per such weekday of the period: it may contain five Mondays and four Fridays. */
  mean: number;
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour));

/** The mean by weekday and hour. Incomplete days are left out. Undefined if the others are not of several weekdays. */
const week: MakeCard = async ({ connection, timeline, timeZone }) => {
  if (!timeline) return undefined;
  const { incompleteDays } = timeline;
  const counts = await rowsOf(
    connection,
    Cell,
    `SELECT isodow(day) AS weekday, start_hour AS hour, count(*) AS sessions
FROM session_facts WHERE day IS NOT NULL AND CAST(day AS varchar) NOT IN (${['', ...incompleteDays].map(quoted).join(', ')})
GROUP BY ALL ORDER BY weekday, hour`,
  );
  const days = weekdaysIn(timeline);
  const cells = counts
    .map((cell) => ({ ...cell, mean: cell.sessions / (days[cell.weekday] ?? 1) }))
    .toSorted((a, b) => b.mean - a.mean);
  const [busiest] = cells;
  if (!busiest || new Set(cells.map(({ weekday }) => weekday)).size < 2) return undefined;
  return {
    title: 'Weekdays and hours',
    sentence: `The busiest hour of the week (${timeZone}) is ${nameOf(busiest)}, with ${onAverage(busiest)}. Darker squares have more sessions.${without(incompleteDays)}`,
    figure: squareChart({
      squares: cells.map((cell) => ({
        x: cell.hour,
        y: cell.weekday - 1,
        value: cell.mean,
        title: `${nameOf(cell)}: ${onAverage(cell)}`,
      })),
      columns: HOURS,
      rows: WEEKDAYS.map((day) => day.slice(0, 3)),
      table: {
        caption: `Mean sessions by weekday and hour (${timeZone})`,
        columns: ['Hour', ...WEEKDAYS],
        rows: HOURS.map((hour) => [
          clock(Number(hour)),
          ...WEEKDAYS.map((_, i) =>
            meanText(cells.find((cell) => cell.weekday === i + 1 && cell.hour === Number(hour))?.mean ?? 0),
          ),
        ]),
      },
    }),
  };
};

/** The number of complete days of each weekday in the period, by the ISO number of the weekday. */
function weekdaysIn({ first, last, incompleteDays }: Timeline): Record<number, number> {
  const incomplete = new Set(incompleteDays);
  const days: Record<number, number> = {};
  for (let day = first; day <= last; day = daysAfter(day, 1)) {
    if (incomplete.has(day)) continue;
    const weekday = new Date(day).getUTCDay() || 7;
    days[weekday] = (days[weekday] ?? 0) + 1;
  }
  return days;
}

function without(incompleteDays: readonly string[]): string {
  const [first] = incompleteDays;
  if (first === undefined) return '';
  return incompleteDays.length === 1
    ? ` ${first} is left out, because it is incomplete.`
    : ` ${incompleteDays.length} incomplete days are left out.`;
}

/** `4.5`, `20`. */
const meanText = (mean: number) => number(Math.round(mean * 10) / 10);

/** `4.5 sessions on average`. */
const onAverage = ({ mean }: Cell) => `${counted(Math.round(mean * 10) / 10, 'session')} on average`;

/** `Friday, 02:00`. */
const nameOf = ({ weekday, hour }: Cell) => `${WEEKDAYS[weekday - 1]}, ${clock(hour)}`;

/** How long people talk, and when. */
export const USAGE_CARDS: readonly MakeCard[] = [talkTime, busyHours, week];
