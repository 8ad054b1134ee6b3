import type { DuckDBConnection } from '@duckdb/node-api';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { overTime } from './over-time.ts';
import { talliesOf } from './rows.ts';
import type { Timeline } from './timeline.ts';
import { counted } from './wording.ts';

/**
 * The statuses of an opt-out.
 *
 * @see https://developer.8x8.com/connect/docs/voice/voice-messaging/session-status
 */
const STATUSES = [
  { kind: 'COMPLETED_UNSUBSCRIBED', name: 'Opted out', colour: 'purple' },
  { kind: 'UNSUBSCRIBED_CONTACT', name: 'Already opted out', colour: 'grey' },
  { kind: 'COMPLETED_UNSUB_ERROR', name: 'Opt-out failed', colour: 'red' },
] as const;

/** The sessions that involved an opt-out. */
export async function optOuts(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
): Promise<Card | undefined> {
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline?.sql ?? "''"} AS part, session_status AS kind, count(*) AS count
FROM session_facts WHERE outcome = 'opted_out' GROUP BY ALL`,
  );
  const sessionsWith = (status: string) =>
    counted(sum(tallies.filter(({ kind }) => kind === status).map(({ count }) => count)), 'session');
  if (tallies.length === 0) return undefined;
  const hasFailures = tallies.some(({ kind }) => kind === 'COMPLETED_UNSUB_ERROR');
  const failures = hasFailures
    ? `The opt-out failed in ${sessionsWith('COMPLETED_UNSUB_ERROR')}: remove these contacts from the list manually.`
    : 'No opt-out failed.';
  return {
    title: 'Opt-outs',
    sentence: `The contact opted out in ${sessionsWith('COMPLETED_UNSUBSCRIBED')}, and had already opted out before ${sessionsWith('UNSUBSCRIBED_CONTACT')}. ${failures}`,
    ...(timeline && { figure: overTime(timeline, tallies, STATUSES, `Opt-outs by ${timeline.unit}`) }),
  };
}
