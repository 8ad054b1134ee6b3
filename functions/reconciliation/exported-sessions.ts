import { copyOf } from '../log-export/canonical-id.ts';
import type { LegRow } from '../log-export/leg-row.ts';
import { LogExportError } from '../log-export/log-export-error.ts';
import type { ReadRow } from '../log-export/read-rows.ts';
import { type Day, dayOf } from './day.ts';
import type { RecordedSession } from './recorded-sessions.ts';
import { list, type Result } from './result.ts';

/** The most sessions of an export, of three days: 400,000 take some 600 MB of its 2 GB (test/README.md). */
export const MAX_SESSIONS = 1_000_000;

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
