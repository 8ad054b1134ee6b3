import { spellingsOf } from '../log-export/canonical-id.ts';
import { type Day, dayOf, HOUR_MS, LONGEST_CALL_MS } from './day.ts';
import { deadLetterKey } from './dead-letter-sessions.ts';
import type { ExportedSessions, Session } from './exported-sessions.ts';
import type { RecordedSessions } from './recorded-sessions.ts';
import { list, NO_RESULT, type Result } from './result.ts';

/** The delivery of a session that ended less than this before the export was started may be on its way. */
const GRACE_MS = HOUR_MS;

/** The fewest sessions of which it is not by chance that none was delivered, and how many others are looked up. */
const FEWEST_SESSIONS = 20;
const SAMPLE = 100;

export interface ComparisonOptions {
  subAccountId: string;
  day: Day;
  /** When the export was started, and the current time, in milliseconds since 1970. */
  exportedAt: number;
  now: number;
  /** How long a record is kept after its last write; undefined if forever. */
  retentionMs: number | undefined;
  lookUp: RecordedSessions;
  /** The sessions that wait in the dead-letter queue, as `deadLetterKey`. */
  deadLetters: ReadonlySet<string>;
}

/** A session and its canonical id. */
export type Candidate = [sessionId: string, session: Session];

export interface Comparison {
  result: Result;
  /** The sessions to record: those that are missing, then those whose reconstruction may differ from the export. */
  candidates: Candidate[];
  /**
   * How many sessions of the three days have no delivered record, although they ended long enough ago and have not
   * expired; undefined if there is a delivered one, or if there are too few to tell.
   */
  undelivered: number | undefined;
}

/** Compares the sessions of an export that started on the day with the table. */
export async function compare(read: ExportedSessions, options: ComparisonOptions): Promise<Comparison> {
  const all = [...read.sessions].filter(([, { rows }]) => rows > 0);
  const ofDay = all.filter(([, { start }]) => dayOf(start) === options.day);
  await lookUp(
    all.filter(([, { isCharged }]) => isCharged),
    options.lookUp,
  );
  const { sessions: _, ...rows } = read;
  const result: Result = { ...structuredClone(NO_RESULT), ...rows };
  const byKind = Map.groupBy(ofDay, (session) => kindOf(session, options));
  for (const [kind, sessions] of byKind) for (const session of sessions) count(result, kind, session);
  const candidates = [...(byKind.get('missing') ?? []), ...(byKind.get('reconstructed') ?? [])];
  return {
    result,
    candidates: candidates.filter(([, { hasRefusedRow }]) => !hasRefusedRow),
    undelivered: await undelivered(all, options),
  };
}

/** Looks sessions up as exported, then in lower and in upper case: the table has the ids as delivered. */
async function lookUp(sessions: readonly Candidate[], find: RecordedSessions): Promise<void> {
  let left = sessions.map(([id, session]) => ({ session, spellings: spellingsOf(session.exportedId ?? id) }));
  while (left.length > 0) {
    const found = await find(left.map(({ spellings: [first = ''] }) => first));
    for (const { session, spellings } of left) {
      const sessionId = spellings.shift() ?? '';
      const recorded = found.get(sessionId);
      if (recorded === 'erased') session.isErased = true;
      else if (recorded) session.recorded = { ...recorded, sessionId };
    }
    left = left.filter(
      ({ session, spellings }) => !session.recorded && !session.isErased && spellings.length > 0,
    );
  }
}

/** What a session of the export is to the table. */
type Kind =
  | 'delivered'
  | 'reconstructed'
  | 'erased'
  | 'foreign'
  | 'late'
  | 'deadLettered'
  | 'expired'
  | 'missing';

function kindOf([sessionId, session]: Candidate, options: ComparisonOptions): Kind {
  const { recorded, isErased, start, end, isOpen } = session;
  const { subAccountId, exportedAt, now, retentionMs = Number.POSITIVE_INFINITY, deadLetters } = options;
  if (isErased) return 'erased';
  if (recorded && recorded.subAccountId !== subAccountId) return 'foreign';
  if (recorded) return recorded.reconstruction ? 'reconstructed' : 'delivered';
  const isRecent = Date.parse(start) > exportedAt - LONGEST_CALL_MS;
  if (isRecent && (isOpen || Date.parse(end) > exportedAt - GRACE_MS)) return 'late';
  if (deadLetters.has(deadLetterKey({ subAccountId, sessionId }))) return 'deadLettered';
  // The lookups take minutes.
  return Date.parse(end) <= now + HOUR_MS - retentionMs ? 'expired' : 'missing';
}

function count(
  result: Result,
  kind: Kind,
  [sessionId, { status, recorded, hasRefusedRow }]: Candidate,
): void {
  result.sessions++;
  if (kind === 'delivered' || kind === 'reconstructed') result.matched++;
  if (kind !== 'delivered') result[kind]++;
  if (kind === 'missing' || kind === 'reconstructed' || kind === 'foreign')
    list(result[`${kind}Sessions`], sessionId);
  if ((kind === 'missing' || kind === 'reconstructed') && hasRefusedRow) {
    result.withRefusedRows++;
    list(result.withRefusedRowsSessions, sessionId);
  }
  if (kind !== 'delivered' || status === undefined || status === recorded?.status) return;
  result.differing++;
  list(result.differingSessions, { sessionId, exported: status, recorded: recorded?.status ?? '' });
}

/**
 * If no session of the day was delivered, looks up some of the days before and after. A wrong reading of the ids finds
 * none of them either, while an outage has a beginning or an end.
 */
async function undelivered(
  all: readonly Candidate[],
  options: ComparisonOptions,
): Promise<number | undefined> {
  const { day } = options;
  const settled = all.filter((each) => !['late', 'expired'].includes(kindOf(each, options)));
  const ofDay = settled.filter(([, { start }]) => dayOf(start) === day);
  if (ofDay.some((each) => isDelivered(each, options))) return undefined;
  const before = sampleOf(settled.filter(([, { start }]) => dayOf(start) < day));
  const after = sampleOf(settled.filter(([, { start }]) => dayOf(start) > day));
  await lookUp([...before, ...after], options.lookUp);
  const examined = [...ofDay, ...before, ...after];
  const isTold = examined.length < FEWEST_SESSIONS || examined.some((each) => isDelivered(each, options));
  return isTold ? undefined : examined.length;
}

function isDelivered(session: Candidate, options: ComparisonOptions): boolean {
  return ['delivered', 'deadLettered', 'erased'].includes(kindOf(session, options));
}

/** Some of the sessions, spread over all of them. */
function sampleOf(sessions: readonly Candidate[]): Candidate[] {
  const step = Math.ceil(sessions.length / SAMPLE);
  return sessions.filter((_, i) => i % step === 0);
}
