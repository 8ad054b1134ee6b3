import type { LegRow } from '../log-export/leg-row.ts';
import { type Day, dayOf, HOUR_MS } from './day.ts';
import { legEnd } from './reconstruct.ts';
import { MAX_KEYS, type RecordedSession, type RecordedSessions } from './recorded-sessions.ts';
import { MAX_LISTED, type Result } from './result.ts';

/** The delivery of a session that ended less than this before the export was started may be on its way. */
const GRACE_MS = HOUR_MS;

/** A leg without an end may still be in progress for this long after its start. */
const LONGEST_CALL_MS = 24 * HOUR_MS;

/**
 * The rows of a session need not be adjacent. So many sessions are remembered: one whose rows are further apart is looked
 * up and counted twice.
 */
const REMEMBERED = 20_000;

/** How many sessions are looked up at a time, `MAX_KEYS` in a request. */
const LOOKED_UP = 8 * MAX_KEYS;

/** What a comparison counts. Here, `missing` includes the sessions that wait in the dead-letter queue. */
type Comparison = Pick<
  Result,
  'sessions' | 'matched' | 'reconstructed' | 'late' | 'missing' | 'differing' | 'differingSessions'
>;

/** A session that is missing, or whose record was reconstructed, perhaps from fewer rows. */
export interface Candidate {
  sessionId: string;
  rows: readonly LegRow[];
  /** Undefined if the session has no record. */
  reconstructedDigest: string | undefined;
}

export interface ComparisonOptions {
  day: Day;
  /** When the export was started, in milliseconds since 1970. */
  exportedAt: number;
  lookUp: RecordedSessions;
  /** The rows of at most so many sessions are kept. Further sessions are only counted. */
  limit: number;
  /** Sessions whose rows are not kept, because an earlier pass has dealt with them. */
  skipped: ReadonlySet<string>;
}

/** A session of the export, as far as its rows have been read. */
interface Session {
  sessionId: string;
  start: string;
  end: string;
  status: string | undefined;
  isOpen: boolean;
  /** Undefined if they are not needed: the session is recorded, or beyond the limit. */
  rows: LegRow[] | undefined;
  recorded: RecordedSession | undefined;
}

/** Compares the sessions of an export with the table. Its memory does not grow with the number of rows. */
export class SessionComparison {
  readonly found: Comparison = {
    sessions: 0,
    matched: 0,
    reconstructed: 0,
    late: 0,
    missing: 0,
    differing: 0,
    differingSessions: [],
  };
  readonly #options: ComparisonOptions;
  /** The last sessions, in the order of their first row, except for the collected ones. */
  readonly #recent = new Map<string, Session>();
  /** Sessions that are missing or reconstructed, with their rows. */
  readonly #collected = new Map<string, Session>();
  /** Sessions to look up. */
  #unknown: Session[] = [];

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  async add(row: LegRow): Promise<void> {
    const known = this.#collected.get(row.SessionId) ?? this.#recent.get(row.SessionId);
    if (known) return extend(known, row);
    const session = sessionOf(row);
    this.#recent.set(row.SessionId, session);
    this.#unknown.push(session);
    if (this.#unknown.length === LOOKED_UP) await this.#lookUp();
    if (this.#recent.size > REMEMBERED) this.#forgetOldest();
  }

  /** The ids of the sessions whose rows were kept. If there are `limit`, there may be more candidates. */
  get collected(): string[] {
    return [...this.#collected.keys()];
  }

  /** Ends the comparison, and returns the candidates. `found` is complete then. */
  async finish(): Promise<Candidate[]> {
    await this.#lookUp();
    for (const session of this.#recent.values()) this.#count(session);
    return [...this.#collected.values()].flatMap((session) => {
      this.#count(session);
      const { sessionId, rows = [], recorded } = session;
      const isCandidate = this.#startedOnDay(session) && !this.#isLate(session);
      return isCandidate ? [{ sessionId, rows, reconstructedDigest: recorded?.reconstructedDigest }] : [];
    });
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
      session.recorded = recorded.find((found) => found.has(session.sessionId))?.get(session.sessionId);
      this.#sort(session);
    }
  }

  /** Keeps the rows of a session that is missing or reconstructed. */
  #sort(session: Session): void {
    const { sessionId, recorded } = session;
    const { limit, skipped } = this.#options;
    const isDelivered = recorded !== undefined && recorded.reconstructedDigest === undefined;
    if (isDelivered || skipped.has(sessionId) || this.#collected.size >= limit) {
      session.rows = undefined;
      return;
    }
    this.#recent.delete(sessionId);
    this.#collected.set(sessionId, session);
  }

  /** The oldest session was looked up long ago. */
  #forgetOldest(): void {
    const [oldest] = this.#recent.values();
    if (!oldest) return;
    this.#count(oldest);
    this.#recent.delete(oldest.sessionId);
  }

  #count(session: Session): void {
    if (!this.#startedOnDay(session)) return;
    const { found } = this;
    const { sessionId, status, recorded } = session;
    found.sessions++;
    if (!recorded) {
      found[this.#isLate(session) ? 'late' : 'missing']++;
      return;
    }
    found.matched++;
    if (recorded.reconstructedDigest !== undefined) found.reconstructed++;
    else if (status !== undefined && status !== recorded.status) {
      found.differing++;
      if (found.differingSessions.length < MAX_LISTED)
        found.differingSessions.push({ sessionId, exported: status, recorded: recorded.status ?? '' });
    }
  }

  #startedOnDay({ start }: Session): boolean {
    return dayOf(start) === this.#options.day;
  }

  #isLate({ start, end, isOpen }: Session): boolean {
    const { exportedAt } = this.#options;
    return (
      Date.parse(end) > exportedAt - GRACE_MS || (isOpen && Date.parse(start) > exportedAt - LONGEST_CALL_MS)
    );
  }
}

function sessionOf(row: LegRow): Session {
  const { SessionId, InitiatedAt, DisconnectedAt, SessionStatus } = row;
  return {
    sessionId: SessionId,
    start: InitiatedAt,
    end: legEnd(row),
    status: SessionStatus,
    isOpen: DisconnectedAt === undefined,
    rows: [row],
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
  session.rows?.push(row);
}
