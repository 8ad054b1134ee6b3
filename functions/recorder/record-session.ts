import { loggableId } from '../loggable-id.ts';
import {
  merge,
  newRecord,
  type ReceivedSummary,
  type SessionRecord,
  type StoredSummary,
  standingOf,
  withoutLastAlternates,
} from '../vss/record.ts';
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

/** What became of a summary: first of its session, already there, or another summary of a recorded session. */
export type Recorded = 'recorded' | 'duplicate' | 'conflict';

/** Others kept changing the record of a session, which passes. */
export class ContendedRecordError extends Error {
  override name = 'ContendedRecordError';
}

/** Lost races after which the message is retried later. Only tests have more concurrent writers per session. */
const MAX_ATTEMPTS = 20;

/** Takes alternates for which a record has no room any more; resolves once they are kept. */
export type KeepElsewhere = (alternates: readonly StoredSummary[]) => Promise<unknown>;

/**
 * Adds a summary to the record of its session: one write for a new session, a read more to find a duplicate, and
 * optimistic locking where two summaries of one session differ.
 *
 * @throws RecordTooLargeError if there is no room for the summary itself.
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
    if (standing === 'known') return 'duplicate';
    const isReplaced = await replace(table, merge(stored, record), stored.revision, summary.digest, keep);
    if (isReplaced) return standing === 'new' ? 'conflict' : 'duplicate';
  }
  throw new ContendedRecordError(
    `The record of session ${loggableId(summary.sessionId)} changed ${MAX_ATTEMPTS} times while it was being merged`,
  );
}

/** Keeps each alternate once, however many races are lost after that. */
function once(keepElsewhere: KeepElsewhere): KeepElsewhere {
  const kept = new Set<string>();
  return async (alternates) => {
    await keepElsewhere(alternates.filter(({ digest }) => !kept.has(digest)));
    for (const { digest } of alternates) kept.add(digest);
  };
}

/** Replaces a record by a merged one, without the last alternates if that is too large. */
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
    // The summary at hand is a message that can be kept as it was delivered.
    if (!smaller || smaller.removed.some((alternate) => alternate.digest === digest)) throw error;
    await keepElsewhere(smaller.removed);
    return replace(table, smaller.record, revision, digest, keepElsewhere);
  }
}
