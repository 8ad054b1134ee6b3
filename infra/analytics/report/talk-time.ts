import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { columnChart } from './column-chart.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, duration, percent } from './wording.ts';

/** The lower bound of each column, in seconds. Each is about twice the previous one. */
const BOUNDS = [1, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

const TalkTime = v.object({
  sessions: Count,
  seconds: Count,
  median: v.nullable(Count),
  p95: v.nullable(Count),
});
const Bucket = v.object({ bound: Count, sessions: Count });

/** The distribution of talk time. */
export async function talkTime(connection: DuckDBConnection): Promise<Card | undefined> {
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
    figure: {
      chart: columnChart({
        label: 'Columns: sessions by talk time',
        columns: BOUNDS.map(duration),
        series: [{ name: 'Sessions', colour: 'blue', values }],
        axisTitle: 'Talk time (at least)',
      }),
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
    },
  };
}
