import { randomUUID } from 'node:crypto';
import { type LegRow, recordable } from '../log-export/leg-row.ts';
import type { ReadRow } from '../log-export/read-rows.ts';
import { type Message, toMessage } from '../queue/message.ts';
import { isIncomplete, readSummary } from '../vss/summary.ts';
import type { ChargesFile } from './charges-file.ts';
import type { Candidate } from './comparison.ts';
import { legEnd, type Session } from './exported-sessions.ts';
import type { Result } from './result.ts';

/** Resolves once the queue has acknowledged the message. */
export type Send = (message: Message) => Promise<unknown>;

/** The most sessions whose rows are in memory at a time, and the most of these rows. */
const ROUND_SESSIONS = 10_000;
const ROUND_ROWS = 100_000;

/** How many messages are sent at a time. */
const CONCURRENT_SENDS = 16;

/** Sessions with more legs are not reconstructed: 8x8 names them by letter, and shows two. */
const LEG_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const MAX_LEGS = LEG_LETTERS.length;

/** The webhook accepts bodies up to this size, so SQS and DynamoDB have room for them. */
const MAX_BODY_BYTES = 256 * 1_024;

/** The source of a reconstruction, in its message and its record. */
const SOURCE = 'log-export';

export interface Recording {
  subAccountId: string;
  /** When the export was started: ISO 8601, UTC. */
  exportedAt: string;
  sessions: ReadonlyMap<string, Session>;
  /** The sessions that are missing, and those whose reconstruction may differ from the export. */
  candidates: readonly Candidate[];
  /** Reads the rows of the export again, from the beginning, or only those of the sessions that are wanted. */
  readAgain: (isWanted?: (sessionId: string) => boolean) => AsyncIterable<readonly ReadRow[]>;
  charges: ChargesFile;
  send: Send;
  /** Whether it is too late for another round. */
  isLate: () => boolean;
}

/**
 * Reads the rows again: once to store those of the day and to send reconstructions of the first candidates, then as often
 * as it takes for the others. The recorder ignores what it has already.
 *
 * @param result Counts what becomes of the candidates and of the rows.
 * @returns How many of the missing sessions are left, because it is too late for them.
 */
export async function record(recording: Recording, result: Result): Promise<number> {
  const { candidates, charges, isLate } = recording;
  let done = 0;
  do {
    const round = roundOf(candidates.slice(done));
    const legs = await legsOf(round, recording, done === 0);
    if (done === 0) result.keptRows = await charges.store();
    await send(round, legs, recording, result);
    done += round.length;
  } while (done < candidates.length && !isLate());
  const left = candidates.slice(done).filter(([, { recorded }]) => !recorded).length;
  result.unchecked = candidates.length - done - left;
  return left;
}

function roundOf(candidates: readonly Candidate[]): Candidate[] {
  let rows = 0;
  const tooMany = candidates.findIndex(([, session], i) => {
    rows += session.rows;
    return i > 0 && (i >= ROUND_SESSIONS || rows > ROUND_ROWS);
  });
  return candidates.slice(0, tooMany === -1 ? undefined : tooMany);
}

/** The legs of a session, by call. */
type Legs = Map<string, LegRow>;

/** Collects the legs of these sessions, and the rows of the day, with the table's spelling of the session's id. */
async function legsOf(
  round: readonly Candidate[],
  { sessions, readAgain, charges }: Recording,
  isFirst: boolean,
): Promise<ReadonlyMap<string, Legs>> {
  const legs = new Map(round.map(([sessionId]) => [sessionId, new Map<string, LegRow>()]));
  for await (const batch of readAgain(isFirst ? undefined : (sessionId) => legs.has(sessionId))) {
    for (const each of batch) {
      if (each.outcome !== 'row') continue;
      const { SessionId } = each.row;
      addLeg(legs.get(SessionId), each.row);
      if (!isFirst) continue;
      const { recorded, isErased } = sessions.get(SessionId) ?? {};
      if (isErased) continue;
      await charges.add(recorded ? { ...each.row, SessionId: recorded.sessionId } : each.row);
    }
  }
  return legs;
}

/** Of several rows of a leg, the last to end is kept. Copies it, because its values keep the file's text in memory. */
function addLeg(legs: Legs | undefined, row: LegRow): void {
  const known = legs?.get(row.CallId);
  if (!legs || (known ? rankOf(row) <= rankOf(known) : legs.size > MAX_LEGS)) return;
  const copy = structuredClone(row);
  legs.set(copy.CallId, copy);
}

/** Equal only for equal rows. */
const rankOf = (row: LegRow) => `${legEnd(row)} ${JSON.stringify(Object.entries(row).sort())}`;

async function send(
  round: readonly Candidate[],
  legs: ReadonlyMap<string, Legs>,
  { subAccountId, exportedAt, send }: Recording,
  result: Result,
): Promise<void> {
  const messages: Message[] = [];
  for (const candidate of round) {
    const decision = decide(candidate, subAccountId, [...(legs.get(candidate[0])?.values() ?? [])]);
    if (decision.outcome !== 'unchanged') result[decision.outcome]++;
    if (!('body' in decision)) continue;
    if (decision.isIncomplete) result.incomplete++;
    const delivery = { body: decision.body, receivedAt: exportedAt, reconstructedFrom: SOURCE };
    messages.push(toMessage({ ...delivery, requestId: randomUUID() }));
  }
  for (let i = 0; i < messages.length; i += CONCURRENT_SENDS)
    await Promise.all(messages.slice(i, i + CONCURRENT_SENDS).map(send));
}

/** What is to be done about a candidate. */
type Decision =
  | { outcome: 'recorded' | 'updated'; body: string; isIncomplete: boolean }
  | { outcome: 'unusable' | 'fewerCalls' | 'unchanged' };

/** The newest export replaces an older reconstruction that differs, unless it has fewer calls. */
function decide([id, { recorded }]: Candidate, subAccountId: string, legs: readonly LegRow[]): Decision {
  const body = reconstruct(recorded?.sessionId ?? id, subAccountId, legs) ?? '';
  const read = readSummary(body);
  if (read.outcome !== 'summary' || Buffer.byteLength(body) > MAX_BODY_BYTES) return { outcome: 'unusable' };
  const { digest, legs: recordedLegs } = recorded?.reconstruction ?? { digest: undefined, legs: 0 };
  if (digest === read.summary.digest) return { outcome: 'unchanged' };
  if (legs.length < recordedLegs) return { outcome: 'fewerCalls' };
  const outcome = digest === undefined ? 'recorded' : 'updated';
  return { outcome, body, isIncomplete: isIncomplete(read.summary) };
}

/**
 * Builds the summary of a session from its legs in the log export, as 8x8 would have delivered it. It lacks what the
 * export lacks: the action, the client's request id, the error, and the countries, which the export has as numbers and
 * names. The names of the legs are inferred from their order. A session with a leg that has no end has none.
 *
 * @returns The body of the delivery; undefined if the session has too many legs.
 */
export function reconstruct(
  sessionId: string,
  subAccountId: string,
  legs: readonly LegRow[],
): string | undefined {
  if (legs.length > MAX_LEGS) return undefined;
  const sorted = legs.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const isOpen = legs.some(({ DisconnectedAt }) => DisconnectedAt === undefined);
  const payload = {
    sessionId,
    subAccountId,
    sessionStatus: statusOf(legs),
    startTime: sorted[0]?.InitiatedAt,
    endTime: isOpen ? undefined : legs.map(legEnd).toSorted().at(-1),
    callCount: legs.length,
    details: Object.fromEntries(sorted.map((leg, i) => [`call${LEG_LETTERS[i]}`, legDetails(leg)])),
  };
  return JSON.stringify({
    payload,
    namespace: 'VOICE',
    eventType: 'SESSION_SUMMARY',
    description: 'Summary of a completed call session',
  });
}

/** By start, inbound first. */
const orderOf = ({ InitiatedAt, Direction, CallId }: LegRow) =>
  `${InitiatedAt} ${Direction === 'INBOUND' ? 0 : 1} ${CallId}`;

/** The status of a session, which each of its rows has. If they differ, that of the leg that ended last. */
function statusOf(legs: readonly LegRow[]): string | undefined {
  const known = legs.filter(({ SessionStatus }) => SessionStatus !== undefined);
  return known.toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1)).at(-1)?.SessionStatus;
}

function legDetails(row: LegRow) {
  const mos = recordable(row, 'MOS');
  return {
    callId: row.CallId,
    callDirection: row.Direction,
    callType: row.CallType,
    initiatedTimestamp: row.InitiatedAt,
    connectedTimestamp: row.ConnectedAt,
    disconnectedTimestamp: row.DisconnectedAt,
    source: recordable(row, 'SourceEndpoint'),
    destination: recordable(row, 'DestinationEndpoint'),
    callStatus: row.CallStatus,
    callDuration: recordable(row, 'DurationInSec'),
    ...(mos !== undefined && { callQuality: { mos } }),
  };
}
