import { loggableId } from '../loggable-id.ts';
import {
  merge,
  newRecord,
  type ReceivedSummary,
  type SessionRecord,
  type Standing,
  type StoredSummary,
  standingOf,
  withoutLastAlternates,
} from '../vss/record.ts';
import type { SessionEvent } from '../vss/session-event.ts';
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

/**
 * Whether a summary was the first of its session, already recorded, different from a recorded one, or of an erased session
 * and therefore not recorded. Reconstructions do not count: a delivered summary that replaces one is the first, and a
 * later reconstruction is a duplicate.
 */
export type Recorded = 'recorded' | 'duplicate' | 'conflict' | 'erased';

const OUTCOMES: Readonly<Record<Standing, Recorded>> = {
  first: 'recorded',
  new: 'conflict',
  known: 'duplicate',
  earlier: 'duplicate',
  newer: 'duplicate',
};

/** Concurrent writers kept changing the record of a session; a later retry will succeed. */
export class ContendedRecordError extends Error {
  override name = 'ContendedRecordError';
}

/** Attempts before the message is retried later. Only tests have more concurrent writers per session. */
const MAX_ATTEMPTS = 20;

/** The event of a write, which is stored with the record; undefined if the record shows the same summary as before. */
export type EventOf = (before: SessionRecord | undefined, after: SessionRecord) => SessionEvent | undefined;

/** Stores alternates that no longer fit into a record; resolves when they are stored. */
export type KeepElsewhere = (alternates: readonly StoredSummary[]) => Promise<unknown>;

interface Dependencies {
  table: SessionTable;
  keepElsewhere: KeepElsewhere;
  /** Default: no events. */
  eventOf?: EventOf | undefined;
}

/**
 * Adds a summary to the record of its session. A new session takes one write, and a duplicate one more read. If the
 * record has other summaries, the new one is merged into it with optimistic locking.
 *
 * @throws RecordTooLargeError if the record has no room for the summary.
 */
export async function recordSession(
  { table, keepElsewhere, eventOf = () => undefined }: Dependencies,
  summary: ReceivedSummary,
): Promise<Recorded> {
  const record = newRecord(summary);
  const keepOnce = once(keepElsewhere);

  /** Replaces a record with a merged one, without its last alternates if it is too large. */
  async function replace(stored: SessionRecord, merged: SessionRecord): Promise<boolean> {
    try {
      return await table.replace({ ...merged, event: eventOf(stored, merged) }, stored.revision);
    } catch (error) {
      const smaller = error instanceof RecordTooLargeError ? withoutLastAlternates(merged) : undefined;
      // If the new summary does not fit, the caller keeps its message as it was delivered.
      if (!smaller || smaller.removed.some(({ digest }) => digest === summary.digest)) throw error;
      await keepOnce(smaller.removed);
      return replace(stored, smaller.record);
    }
  }

  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const stored = attempt === 1 ? undefined : await table.read(summary.sessionId);
    if (stored === undefined) {
      if (await table.add({ ...record, event: eventOf(undefined, record) })) return 'recorded';
      continue;
    }
    if (stored === 'erased') return 'erased';
    const standing = standingOf(summary, stored);
    if (standing === 'known' || (await replace(stored, merge(stored, record)))) return OUTCOMES[standing];
  }
  throw new ContendedRecordError(
    `The record of session ${loggableId(summary.sessionId)} changed ${MAX_ATTEMPTS} times while it was being merged`,
  );
}

/** Stores each alternate only once, however often the merge is retried. */
function once(keepElsewhere: KeepElsewhere): KeepElsewhere {
  const kept = new Set<string>();
  return async (alternates) => {
    await keepElsewhere(alternates.filter(({ digest }) => !kept.has(digest)));
    for (const { digest } of alternates) kept.add(digest);
  };
}
