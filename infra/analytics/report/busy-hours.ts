import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { columnChart } from './column-chart.ts';
import { sum } from './cross-tabulate.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, percent } from './wording.ts';

const Hour = v.object({ hour: v.nullable(Count), sessions: Count, answered: Count });

/** At which hours sessions begin. */
export async function busyHours(connection: DuckDBConnection): Promise<Card> {
  const title = 'Busy hours';
  const found = await rowsOf(
    connection,
    Hour,
    `SELECT start_hour AS hour, count(*) AS sessions, count(*) FILTER (WHERE outcome = 'answered') AS answered
FROM session_facts GROUP BY start_hour`,
  );
  const rows = found.flatMap(({ hour, ...counts }) => (hour === null ? [] : [{ hour, ...counts }]));
  const unknown = sum(found.map(({ hour, sessions }) => (hour === null ? sessions : 0)));
  const [busiest] = rows.toSorted((a, b) => b.sessions - a.sessions || a.hour - b.hour);
  if (!busiest) return { title, sentence: 'There is no session of which the hour is known.' };
  const hours = Array.from(
    { length: 24 },
    (_, hour) => rows.find((row) => row.hour === hour) ?? { hour, sessions: 0, answered: 0 },
  );
  const series = [
    { name: 'Answered', colour: 'blue', values: hours.map(({ answered }) => answered) },
    {
      name: 'All others',
      colour: 'grey',
      values: hours.map(({ sessions, answered }) => sessions - answered),
    },
  ] as const;
  const clock = (hour: number) => `${String(hour % 24).padStart(2, '0')}:00`;
  return {
    title,
    sentence: `Most sessions begin between ${clock(busiest.hour)} and ${clock(busiest.hour + 1)} UTC: ${counted(busiest.sessions, 'session')}, of which ${percent(busiest.answered, busiest.sessions)} were answered.${unknown > 0 ? ` ${counted(unknown, 'session')} without a start ${unknown === 1 ? 'is' : 'are'} not in the chart.` : ''}`,
    figure: {
      chart: columnChart({
        label: 'Columns: sessions by the hour (UTC) at which they begin, answered and others',
        columns: hours.map(({ hour }) => String(hour)),
        series,
        labelEvery: 3,
        axisTitle: 'Hour of the day (UTC)',
      }),
      legend: series,
      table: {
        caption: 'Sessions by hour of the day (UTC)',
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
