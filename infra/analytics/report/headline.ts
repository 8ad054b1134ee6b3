import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { Count, rowsOf } from './rows.ts';
import { counted, decimal, duration, number, percent } from './wording.ts';

const Totals = v.object({
  sessions: Count,
  answered: Count,
  failed: Count,
  opted_out: Count,
  conflicts: Count,
  incomplete: Count,
  median: v.nullable(Count),
});
const Quality = v.object({ mean: v.nullable(v.number()), legs: Count });

/** A key figure. */
export interface HeadlineFigure {
  name: string;
  value: string;
  /** The absolute number, or the share. */
  note?: string;
}

/** Reads the number of sessions and the key figures. */
export async function readHeadline(
  connection: DuckDBConnection,
): Promise<{ sessions: number; figures: readonly HeadlineFigure[] }> {
  const [totals] = await rowsOf(
    connection,
    Totals,
    `SELECT count(*) AS sessions,
  count(*) FILTER (WHERE outcome = 'answered') AS answered,
  count(*) FILTER (WHERE outcome = 'failed') AS failed,
  count(*) FILTER (WHERE outcome = 'opted_out') AS opted_out,
  count(*) FILTER (WHERE summary_count > 1) AS conflicts,
  count(*) FILTER (WHERE is_incomplete) AS incomplete,
  quantile_disc(talk_seconds, 0.5) FILTER (WHERE talk_seconds > 0) AS median
FROM session_facts`,
  );
  const [quality] = await rowsOf(
    connection,
    Quality,
    'SELECT avg(mos) AS mean, count(mos) AS legs FROM leg_facts',
  );
  if (!totals || !quality) throw new Error('A query for totals returned no row');
  const { sessions, answered, failed, opted_out, conflicts, incomplete, median } = totals;
  return {
    sessions,
    figures: [
      { name: 'Sessions', value: number(sessions) },
      { name: 'Answered', value: percent(answered, sessions), note: counted(answered, 'session') },
      { name: 'Failed', value: percent(failed, sessions), note: counted(failed, 'session') },
      { name: 'Median talk time', value: median === null ? '–' : duration(median) },
      {
        name: 'Mean MOS',
        value: quality.mean === null ? '–' : decimal(quality.mean),
        note: counted(quality.legs, 'leg'),
      },
      { name: 'Opt-outs', value: number(opted_out), note: percent(opted_out, sessions) },
      { name: 'Conflicts', value: number(conflicts), note: percent(conflicts, sessions) },
      { name: 'Incomplete', value: number(incomplete), note: percent(incomplete, sessions) },
    ],
  };
}
