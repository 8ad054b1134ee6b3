import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { columnChart } from './column-chart.ts';
import { sum } from './cross-tabulate.ts';
import { Count, rowsOf } from './rows.ts';
import { clock, counted, percent } from './wording.ts';

const Hour = v.object({ hour: v.nullable(Count), sessions: Count, answered: Count });

/** The hours in which sessions start. */
export async function busyHours(connection: DuckDBConnection, timeZone: string): Promise<Card | undefined> {
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
    figure: {
      chart: columnChart({
        label: `Columns: sessions by the hour (${timeZone}) in which they start, answered and other outcomes`,
        columns: hours.map(({ hour }) => String(hour)),
        series,
        labelEvery: 3,
        axisTitle: `Hour of the day (${timeZone})`,
      }),
      legend: series,
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
    },
  };
}
