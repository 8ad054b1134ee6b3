import { holds, merge, newRecord, type ReceivedSummary } from '../vss/record.ts';
import type { SessionTable } from './session-table.ts';

/** What became of a summary: first of its session, already there, or another summary of a recorded session. */
export type Recorded = 'recorded' | 'duplicate' | 'conflict';

/** Lost races after which a record is left to the queue's retry. More writers at once share one session only in tests. */
const MAX_ATTEMPTS = 20;

/**
 * Adds a summary to the record of its session: one write for a new session, a read more to find a duplicate, and
 * optimistic locking where two summaries of one session differ.
 */
export async function recordSession(table: SessionTable, summary: ReceivedSummary): Promise<Recorded> {
  const record = newRecord(summary);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const stored = attempt === 1 ? undefined : await table.read(summary.sessionId);
    if (stored === undefined) {
      if (await table.add(record)) return 'recorded';
    } else if (holds(stored, summary.digest)) {
      return 'duplicate';
    } else if (await table.replace(merge(stored, record), stored.revision)) {
      return 'conflict';
    }
  }
  throw new Error(
    `The record of session ${summary.sessionId} changed ${MAX_ATTEMPTS} times while it was being merged`,
  );
}
