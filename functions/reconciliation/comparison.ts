import { copyOf, spellingsOf } from '../log-export/canonical-id.ts';
import type { LegRow } from '../log-export/leg-row.ts';
import { LogExportError } from '../log-export/log-export-error.ts';
import type { ReadRow } from '../log-export/read-rows.ts';
import { type Day, dayOf, HOUR_MS, LONGEST_CALL_MS } from './day.ts';
import { deadLetterKey } from './dead-letter-sessions.ts';
import type { RecordedSession, RecordedSessions } from './recorded-sessions.ts';
import { list, NO_RESULT, type Result } from './result.ts';

/** The delivery of a session that ended less than this before the export was started may be on its way. */
const GRACE_MS = HOUR_MS;

/** The most sessions of an export, of three days: 400,000 take some 600 MB of its 2 GB (test/README.md). */
export const MAX_SESSIONS = 1_000_000;

/** The fewest sessions of which it is not by chance that none was delivered, and how many others are looked up. */
const FEWEST_SESSIONS = 20;
const SAMPLE = 100;

/** What is kept of a session of the export. */
export interface Session {
  /** The id as exported, if it is not in canonical form. */
  exportedId?: string;
  start: string;
  end: string;
  /** The status of the leg that ended last, if they differ. */
  status?: string;
  isOpen: boolean;
  hasRefusedRow: boolean;
  /** The number of its rows: 0 if all were refused. */
  rows: number;
  /** Whether one of them is stored with the charges of the day: not only sessions that started on it have such rows. */
  isCharged: boolean;
  isErased: boolean;
  /** What the table has, under which id. */
  recorded?: RecordedSession & { sessionId: string };
}

/** The sessions of an export by canonical id, and what is told of its rows. */
export interface ExportedSessions {
  sessions: Map<string, Session>;
  rows: number;
  refused: Result['refused'];
  refusedRows: number;
  unreadableValues: number;
}

/** Reads all rows once, and keeps one small entry per session. @throws LogExportError */
export async function readSessions(
  rows: AsyncIterable<readonly ReadRow[]>,
  day: Day,
): Promise<ExportedSessions> {
  const read: ExportedSessions = {
    sessions: new Map(),
    rows: 0,
    refused: [],
    refusedRows: 0,
    unreadableValues: 0,
  };
  for await (const batch of rows) {
    for (const each of batch) {
      if (each.outcome === 'row') addRow(read, each, day);
      else addRefused(read, each);
    }
    if (read.sessions.size > MAX_SESSIONS) throw tooManySessions();
  }
  return read;
}

function addRow(
  read: ExportedSessions,
  { row, exportedId, unreadable }: ReadRow & { outcome: 'row' },
  day: Day,
): void {
  const { SessionId, InitiatedAt, DisconnectedAt, SessionStatus } = row;
  read.rows++;
  read.unreadableValues += unreadable;
  const session = sessionOf(read, SessionId);
  const end = legEnd(row);
  if (session.rows === 0 && exportedId !== SessionId) session.exportedId = copyOf(exportedId);
  if (SessionStatus !== undefined && (session.status === undefined || end > session.end))
    session.status = SessionStatus;
  if (session.rows === 0 || InitiatedAt < session.start) session.start = InitiatedAt;
  if (end > session.end) session.end = end;
  session.isOpen ||= DisconnectedAt === undefined;
  session.isCharged ||= dayOf(InitiatedAt) === day;
  session.rows++;
}

function sessionOf({ sessions }: ExportedSessions, id: string): Session {
  const known = sessions.get(id);
  if (known) return known;
  const session = {
    start: '',
    end: '',
    isOpen: false,
    hasRefusedRow: false,
    rows: 0,
    isCharged: false,
    isErased: false,
  };
  sessions.set(copyOf(id), session);
  return session;
}

/** When a leg ended: not before its start, which may be its only time. */
export function legEnd({ InitiatedAt, ConnectedAt, DisconnectedAt }: LegRow): string {
  const end = DisconnectedAt ?? ConnectedAt ?? InitiatedAt;
  return end > InitiatedAt ? end : InitiatedAt;
}

function addRefused(
  read: ExportedSessions,
  { sessionId, file, record, reason }: ReadRow & { outcome: 'refused' },
): void {
  read.refusedRows++;
  list(read.refused, { file, row: record, reason });
  if (sessionId !== undefined) sessionOf(read, sessionId).hasRefusedRow = true;
}

function tooManySessions(): LogExportError {
  return new LogExportError(
    'too-large',
    `The log export has more than ${MAX_SESSIONS.toLocaleString('en')} sessions on three days, for which the function has no memory.`,
  );
}

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
