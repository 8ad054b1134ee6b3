import * as v from 'valibot';
import { conditionOf } from './facts.ts';
import { overTime } from './over-time.ts';
import { reconciliation } from './reconciliation.ts';
import type { MakeCard } from './report.ts';
import { Count, PrintableText, rowsOf } from './rows.ts';
import { talliesOf, totalOf } from './tallies.ts';
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
const optOuts: MakeCard = async ({ connection, timeline }) => {
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline?.sql ?? "''"} AS part, session_status AS kind, count(*) AS count
FROM session_facts WHERE outcome = 'opted_out' GROUP BY ALL`,
  );
  const sessionsWith = (status: string) => counted(totalOf(tallies, status), 'session');
  if (tallies.length === 0) return undefined;
  const failures = tallies.some(({ kind }) => kind === 'COMPLETED_UNSUB_ERROR')
    ? `The opt-out failed in ${sessionsWith('COMPLETED_UNSUB_ERROR')}: remove these contacts from the list manually.`
    : 'No opt-out failed.';
  return {
    title: 'Opt-outs',
    sentence: `The contact opted out in ${sessionsWith('COMPLETED_UNSUBSCRIBED')}, and had already opted out before ${sessionsWith('UNSUBSCRIBED_CONTACT')}. ${failures}`,
    ...(timeline && { figure: overTime(timeline, tallies, STATUSES, `Opt-outs by ${timeline.unit}`) }),
  };
};

const SUMMARIES = [
  { kind: '2', name: '2 summaries', colour: 'amber' },
  { kind: '3', name: '3 summaries', colour: 'orange' },
  { kind: '4', name: '4 or more', colour: 'red' },
] as const;

const DUPLICATES =
  'Exports contain no trace of duplicate deliveries: the CloudWatch metric DuplicateDeliveries counts them.';

/** The sessions for which 8x8 delivered conflicting summaries. */
const conflicts: MakeCard = async ({ connection, timeline }) => {
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline?.sql ?? "''"} AS part, CAST(least(summary_count, 4) AS varchar) AS kind, count(*) AS count
FROM session_facts WHERE summary_count > 1 GROUP BY ALL`,
  );
  const all = totalOf(tallies);
  if (all === 0) return undefined;
  return {
    title: 'Conflicts and duplicates',
    sentence: `8x8 delivered conflicting summaries for ${counted(all, 'session')}; the saved query “conflicts” lists them. ${DUPLICATES}`,
    ...(timeline && {
      figure: overTime(timeline, tallies, SUMMARIES, `Sessions with conflicts by ${timeline.unit}`),
    }),
  };
};

const Total = v.object({ sessions: Count });
const Field = v.object({ path: PrintableText, sessions: Count, first: v.nullable(v.string()), paths: Count });

const MAX_PATHS = 20;

/** The fields that 8x8 delivered and that have no column. */
const unrecognised: MakeCard = async ({ connection, scope }) => {
  const [total] = await rowsOf(
    connection,
    Total,
    'SELECT count(*) AS sessions FROM session_facts WHERE unrecognised_count > 0',
  );
  // Avoids reading the whole export.
  if (!total || total.sessions === 0) return undefined;
  const rows = await rowsOf(
    connection,
    Field,
    `SELECT path, count(*) AS sessions, min(session_date)::varchar AS first, count(*) OVER () AS paths
FROM unrecognised_fields WHERE ${conditionOf(scope)} GROUP BY path ORDER BY sessions DESC, path LIMIT ${MAX_PATHS}`,
  );
  const paths = rows[0]?.paths ?? 0;
  return {
    title: 'Unrecognised fields',
    sentence: `${counted(total.sessions, 'session')} had unknown or malformed fields. No column contains them; their values are in the view “unrecognised_fields”.${paths > MAX_PATHS ? ` The table shows the ${MAX_PATHS} most frequent of ${counted(paths, 'field')}.` : ''}`,
    figure: {
      table: {
        caption: 'Unrecognised fields',
        columns: ['Field', 'Sessions', 'First seen'],
        rows: rows.map(({ path, sessions, first }) => [path, sessions, first ?? '']),
      },
    },
  };
};

const LeftOut = v.object({ sessions: Count, amount: Count });

/** The values that the charts leave out. */
const implausible: MakeCard = async ({ connection }) => {
  const [total] = await rowsOf(
    connection,
    LeftOut,
    `SELECT count(*) AS sessions, coalesce(sum(implausible_count), 0) AS amount
FROM session_facts WHERE implausible_count > 0`,
  );
  if (!total || total.amount === 0) return undefined;
  return {
    title: 'Values left out',
    sentence: `The charts leave out ${counted(total.amount, 'implausible value')} of ${counted(total.sessions, 'session')}, such as a mean opinion score above 5. The saved query “implausible” counts them by column.`,
  };
};

/** What the records say about contacts, deliveries and themselves. */
export const DATA_CARDS: readonly MakeCard[] = [
  optOuts,
  conflicts,
  reconciliation,
  unrecognised,
  implausible,
];
