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
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

/**
 * Whether a summary was the first of its session, already recorded, or different from a recorded one. Reconstructions do
 * not count: a delivered summary that replaces one is the first, and a later reconstruction is a duplicate.
 */
export type Recorded = 'recorded' | 'duplicate' | 'conflict';

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

/** Stores alternates that no longer fit into a record; resolves when they are stored. */
export type KeepElsewhere = (alternates: readonly StoredSummary[]) => Promise<unknown>;

/**
 * Adds a summary to the record of its session. A new session takes one write, and a duplicate one more read. If the
 * record has other summaries, the new one is merged into it with optimistic locking.
 *
 * @throws RecordTooLargeError if the record has no room for the summary.
 */
export async function recordSession(
  table: SessionTable,
  summary: ReceivedSummary,
  keepElsewhere: KeepElsewhere,
): Promise<Recorded> {
  const record = newRecord(summary);
  const keep = once(keepElsewhere);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const stored = attempt === 1 ? undefined : await table.read(summary.sessionId);
    if (stored === undefined) {
      if (await table.add(record)) return 'recorded';
      continue;
    }
    const standing = standingOf(summary, stored);
    const isReplaced =
      standing === 'known' ||
      (await replace(table, merge(stored, record), stored.revision, summary.digest, keep));
    if (isReplaced) return OUTCOMES[standing];
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

/** Replaces a record with a merged one, without its last alternates if it is too large. */
async function replace(
  table: SessionTable,
  merged: SessionRecord,
  revision: number,
  digest: string,
  keepElsewhere: KeepElsewhere,
): Promise<boolean> {
  try {
    return await table.replace(merged, revision);
  } catch (error) {
    const smaller = error instanceof RecordTooLargeError ? withoutLastAlternates(merged) : undefined;
    // If the new summary does not fit, the caller keeps its message as it was delivered.
    if (!smaller || smaller.removed.some((alternate) => alternate.digest === digest)) throw error;
    await keepElsewhere(smaller.removed);
    return replace(table, smaller.record, revision, digest, keepElsewhere);
  }
}
