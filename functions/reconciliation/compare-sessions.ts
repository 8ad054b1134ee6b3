import { hash } from 'node:crypto';
import type { LegRow } from '../log-export/leg-row.ts';
import { type Day, dayOf, HOUR_MS, LONGEST_CALL_MS } from './day.ts';
import { legEnd, MAX_LEGS } from './reconstruct.ts';
import { MAX_KEYS, type RecordedSession, type RecordedSessions } from './recorded-sessions.ts';
import { MAX_LISTED, type Result } from './result.ts';

/** The delivery of a session that ended less than this before the export was started may be on its way. */
const GRACE_MS = HOUR_MS;

/**
 * Maximum number of sessions that are remembered, because the rows of a session need not be adjacent. A session whose rows
 * are further apart is looked up and counted twice.
 */
export const REMEMBERED = 20_000;

/** How many sessions are looked up at a time, `MAX_KEYS` in a request. */
const LOOKED_UP = 8 * MAX_KEYS;

/** What a comparison counts. */
type Comparison = Pick<
  Result,
  | 'sessions'
  | 'matched'
  | 'reconstructed'
  | 'late'
  | 'expired'
  | 'deadLettered'
  | 'missing'
  | 'differing'
  | 'differingSessions'
  | 'reconstructedSessions'
>;

/** Why a session has no record. */
type Absence = 'late' | 'expired' | 'deadLettered' | 'missing';

/** A session to record: it is missing, or its record was reconstructed from fewer legs. */
export interface Candidate {
  sessionId: string;
  rows: readonly LegRow[];
  /** Whether it has more rows than were kept. */
  isTruncated: boolean;
  isMissing: boolean;
}

/** A share of the sessions, chosen by a hash of their ids: number `index` of `of`. */
export interface Part {
  index: number;
  of: number;
}

export interface ComparisonOptions {
  day: Day;
  /** When the export was started, and the current time, in milliseconds since 1970. */
  exportedAt: number;
  now: number;
  /** How long a record is kept after its last write; undefined if forever. */
  retentionMs: number | undefined;
  lookUp: RecordedSessions;
  /** The sessions that wait in the dead-letter queue. */
  deadLetters: ReadonlySet<string>;
  /** The most missing sessions whose rows are kept. Further ones are only counted. */
  limit: number;
  /** The sessions that are compared. Others are ignored. */
  part: Part;
}

/** A session of the export, as far as its rows have been read. */
interface Session {
  sessionId: string;
  start: string;
  end: string;
  status: string | undefined;
  isOpen: boolean;
  /** The first rows; undefined if they are not needed. */
  rows: LegRow[] | undefined;
  rowCount: number;
  lookup: 'none' | 'pending' | 'done';
  recorded: RecordedSession | undefined;
}

/** Compares the sessions of an export with the table. Its memory does not grow with the number of rows. */
export class SessionComparison {
  readonly found: Comparison = {
    sessions: 0,
    matched: 0,
    reconstructed: 0,
    late: 0,
    expired: 0,
    deadLettered: 0,
    missing: 0,
    differing: 0,
    differingSessions: [],
    reconstructedSessions: [],
  };
  readonly #options: ComparisonOptions;
  /** The last sessions, in the order of their first row, except for the collected ones. */
  readonly #recent = new Map<string, Session>();
  /** Missing sessions, with their rows. */
  readonly #collected = new Map<string, Session>();
  /** Sessions to look up. */
  #unknown: Session[] = [];
  readonly #candidates: Candidate[] = [];

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  async add(row: LegRow): Promise<void> {
    if (!isInPart(row.SessionId, this.#options.part)) return;
    const known = this.#collected.get(row.SessionId) ?? this.#recent.get(row.SessionId);
    const session = known ?? newSession(row);
    if (known) extend(known, row);
    else this.#recent.set(row.SessionId, session);
    await this.#lookUpLater(session);
    if (this.#recent.size > REMEMBERED) await this.#forgetOldest();
  }

  /** Ends the comparison, and returns the sessions to record. `found` is complete then. */
  async finish(): Promise<Candidate[]> {
    await this.#lookUp();
    for (const session of [...this.#recent.values(), ...this.#collected.values()]) this.#count(session);
    return this.#candidates;
  }

  /** Looks up only sessions of the day. One that started later may turn out to have started on the day. */
  async #lookUpLater(session: Session): Promise<void> {
    const day = dayOf(session.start);
    if (day < this.#options.day) session.rows = undefined;
    if (day !== this.#options.day || session.lookup !== 'none') return;
    session.lookup = 'pending';
    this.#unknown.push(session);
    if (this.#unknown.length === LOOKED_UP) await this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    const sessions = this.#unknown;
    this.#unknown = [];
    const requests = [];
    for (let i = 0; i < sessions.length; i += MAX_KEYS) {
      const ids = sessions.slice(i, i + MAX_KEYS).map(({ sessionId }) => sessionId);
      requests.push(this.#options.lookUp(ids));
    }
    const recorded = await Promise.all(requests);
    for (const session of sessions) {
      session.lookup = 'done';
      session.recorded = recorded.find((found) => found.has(session.sessionId))?.get(session.sessionId);
      this.#collect(session);
    }
  }

  /** Keeps the rows of a session that is missing, and for a while of one that was reconstructed. */
  #collect(session: Session): void {
    const { sessionId, recorded } = session;
    if (recorded?.reconstructedLegs !== undefined) return;
    if (recorded || this.#collected.size >= this.#options.limit) {
      session.rows = undefined;
      return;
    }
    this.#recent.delete(sessionId);
    this.#collected.set(sessionId, session);
  }

  async #forgetOldest(): Promise<void> {
    const [oldest] = this.#recent.values();
    if (!oldest) return;
    if (oldest.lookup === 'pending') await this.#lookUp();
    if (!this.#recent.delete(oldest.sessionId)) return;
    this.#count(oldest);
  }

  #count(session: Session): void {
    const { sessionId, start, status, recorded } = session;
    if (dayOf(start) !== this.#options.day) return;
    const { found } = this;
    found.sessions++;
    if (!recorded) {
      const absence = this.#absenceOf(session);
      found[absence]++;
      if (absence === 'missing') this.#propose(session, true);
      return;
    }
    found.matched++;
    if (recorded.reconstructedLegs !== undefined) {
      found.reconstructed++;
      if (found.reconstructedSessions.length < MAX_LISTED) found.reconstructedSessions.push(sessionId);
      if (callsOf(session) > recorded.reconstructedLegs) this.#propose(session, false);
    } else if (status !== undefined && status !== recorded.status) {
      found.differing++;
      if (found.differingSessions.length < MAX_LISTED)
        found.differingSessions.push({ sessionId, exported: status, recorded: recorded.status ?? '' });
    }
  }

  #propose({ sessionId, rows, rowCount }: Session, isMissing: boolean): void {
    if (!rows || (!isMissing && this.#candidates.length >= this.#options.limit)) return;
    this.#candidates.push({ sessionId, rows, isTruncated: rowCount > rows.length, isMissing });
  }

  #absenceOf({ sessionId, start, end, isOpen }: Session): Absence {
    const { exportedAt, now, retentionMs = Number.POSITIVE_INFINITY, deadLetters } = this.#options;
    const isRecent = Date.parse(start) > exportedAt - LONGEST_CALL_MS;
    if (isRecent && (isOpen || Date.parse(end) > exportedAt - GRACE_MS)) return 'late';
    if (deadLetters.has(sessionId)) return 'deadLettered';
    // The lookups take minutes.
    return Date.parse(end) <= now + HOUR_MS - retentionMs ? 'expired' : 'missing';
  }
}

function isInPart(sessionId: string, { index, of }: Part): boolean {
  return of === 1 || Number.parseInt(hash('sha256', sessionId).slice(0, 8), 16) % of === index;
}

function newSession(row: LegRow): Session {
  const { SessionId, InitiatedAt, DisconnectedAt, SessionStatus } = row;
  return {
    sessionId: SessionId,
    start: InitiatedAt,
    end: legEnd(row),
    status: SessionStatus,
    isOpen: DisconnectedAt === undefined,
    rows: [row],
    rowCount: 1,
    lookup: 'none',
    recorded: undefined,
  };
}

/** Adds a row. The status of a session is that of the leg that ended last, if they differ. */
function extend(session: Session, row: LegRow): void {
  const end = legEnd(row);
  if (row.SessionStatus !== undefined && (session.status === undefined || end > session.end))
    session.status = row.SessionStatus;
  if (row.InitiatedAt < session.start) session.start = row.InitiatedAt;
  if (end > session.end) session.end = end;
  session.isOpen ||= row.DisconnectedAt === undefined;
  session.rowCount++;
  if (session.rows && session.rows.length <= MAX_LEGS) session.rows.push(row);
}

function callsOf({ rows = [] }: Session): number {
  return new Set(rows.map(({ CallId }) => CallId)).size;
}
