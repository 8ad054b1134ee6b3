import type { DuckDBConnection } from '@duckdb/node-api';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { overTime } from './over-time.ts';
import { talliesOf } from './rows.ts';
import type { Timeline } from './timeline.ts';
import { counted } from './wording.ts';

const SUMMARIES = [
  { kind: '2', name: '2 summaries', colour: 'amber' },
  { kind: '3', name: '3 summaries', colour: 'orange' },
  { kind: '4', name: '4 or more', colour: 'red' },
] as const;

const DUPLICATES =
  'Exports contain no trace of duplicate deliveries: the CloudWatch metric DuplicateDeliveries counts them.';

/** The sessions for which 8x8 delivered conflicting summaries. */
export async function conflicts(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
): Promise<Card | undefined> {
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline?.sql ?? "''"} AS part, CAST(least(summary_count, 4) AS varchar) AS kind, count(*) AS count
FROM session_facts WHERE summary_count > 1 GROUP BY ALL`,
  );
  const all = sum(tallies.map(({ count }) => count));
  if (all === 0) return undefined;
  return {
    title: 'Conflicts and duplicates',
    sentence: `8x8 delivered conflicting summaries for ${counted(all, 'session')}; the saved query “conflicts” lists them. ${DUPLICATES}`,
    ...(timeline && {
      figure: overTime(timeline, tallies, SUMMARIES, `Sessions with conflicts by ${timeline.unit}`),
    }),
  };
}
