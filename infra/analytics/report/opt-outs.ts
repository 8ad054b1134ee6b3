import type { DuckDBConnection } from '@duckdb/node-api';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { overTime } from './over-time.ts';
import { talliesOf } from './rows.ts';
import type { Timeline } from './timeline.ts';
import { counted, number } from './wording.ts';

/**
 * The statuses of opting out.
 *
 * @see https://developer.8x8.com/connect/docs/voice/voice-messaging/session-status
 */
const STATUSES = [
  { kind: 'COMPLETED_UNSUBSCRIBED', name: 'Opted out', colour: 'purple' },
  { kind: 'UNSUBSCRIBED_CONTACT', name: 'Had opted out before', colour: 'grey' },
  { kind: 'COMPLETED_UNSUB_ERROR', name: 'Opting out failed', colour: 'red' },
] as const;

/** Who does not want to be called any more. */
export async function optOuts(connection: DuckDBConnection, timeline: Timeline | undefined): Promise<Card> {
  const title = 'Opt-outs';
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline?.sql ?? "''"} AS part, session_status AS kind, count(*) AS count
FROM session_facts WHERE outcome = 'opted_out' GROUP BY ALL`,
  );
  const of = (status: string) => sum(tallies.filter(({ kind }) => kind === status).map(({ count }) => count));
  if (tallies.length === 0) return { title, sentence: 'Nobody opted out.' };
  const failed = of('COMPLETED_UNSUB_ERROR');
  const sentence = `${number(of('COMPLETED_UNSUBSCRIBED'))} opted out in a session; ${number(of('UNSUBSCRIBED_CONTACT'))} had opted out before. ${failed > 0 ? `In ${counted(failed, 'session')} opting out failed: these people have to be taken off the list by hand.` : 'Opting out never failed.'}`;
  return {
    title,
    sentence,
    ...(timeline && { figure: overTime(timeline, tallies, STATUSES, `Opt-outs by ${timeline.unit}`) }),
  };
}
