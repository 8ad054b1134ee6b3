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

/** A record has no trace of a delivery that was repeated unchanged: that it makes no difference is the point. */
const DUPLICATES =
  'Deliveries that were only repeated are not in an export: the CloudWatch metric DuplicateDeliveries counts them.';

/** Sessions of which 8x8 delivered different summaries. */
export async function conflicts(connection: DuckDBConnection, timeline: Timeline | undefined): Promise<Card> {
  const title = 'Conflicts and duplicates';
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline?.sql ?? "''"} AS part, CAST(least(summary_count, 4) AS varchar) AS kind, count(*) AS count
FROM session_facts WHERE summary_count > 1 GROUP BY ALL`,
  );
  const all = sum(tallies.map(({ count }) => count));
  if (all === 0) return { title, sentence: `8x8 contradicted itself about no session. ${DUPLICATES}` };
  return {
    title,
    sentence: `Of ${counted(all, 'session')} 8x8 delivered different summaries; the saved query “conflicts” lists them. ${DUPLICATES}`,
    ...(timeline && {
      figure: overTime(timeline, tallies, SUMMARIES, `Sessions with different summaries by ${timeline.unit}`),
    }),
  };
}
