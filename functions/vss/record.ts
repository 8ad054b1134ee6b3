import * as v from 'valibot';
import { canonicalJson } from './json.ts';
import type { Summary } from './summary.ts';

/** A summary, and when it was first received (ISO 8601, UTC). */
export interface ReceivedSummary extends Summary {
  receivedAt: string;
}

/**
 * What merging needs to know of a summary in a stored record; the rest passes through as it is, so that a record
 * written by a newer or an older release is merged without loss.
 */
const StoredSummary = v.looseObject({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: v.optional(v.string()),
  endTime: v.optional(v.string()),
  digest: v.string(),
  receivedAt: v.string(),
});
export type StoredSummary = v.InferOutput<typeof StoredSummary>;

/**
 * The stored session: the set of distinct summaries received for one `sessionId`. The one shown is the one with the
 * greatest (endTime, receivedAt, digest); the others are its alternates, in descending order.
 */
export const SessionRecord = v.looseObject({
  ...StoredSummary.entries,
  alternates: v.optional(v.array(StoredSummary)),
  /** Counts the changes of the record; the optimistic lock of an update. */
  revision: v.number(),
  /** The sub-account, when the session was not successful: partition key of the index `unsuccessful-sessions`. */
  unsuccessfulIn: v.optional(v.string()),
  /** When it ended or, where that is not known, was received: sort key of that index. */
  unsuccessfulAt: v.optional(v.string()),
});
export type SessionRecord = v.InferOutput<typeof SessionRecord>;

export function receivedSummary(summary: Summary, receivedAt: string): ReceivedSummary {
  return { ...summary, receivedAt };
}

/** The record of a session of which one summary is known. */
export function newRecord(summary: ReceivedSummary): SessionRecord {
  return recordOf([{ ...summary }]);
}

/**
 * The record of all summaries that either record holds. Commutative, associative and idempotent: the order and the
 * number of deliveries do not matter.
 */
export function merge(a: SessionRecord, b: SessionRecord): SessionRecord {
  const byDigest = new Map<string, StoredSummary>();
  for (const summary of [...summariesOf(a), ...summariesOf(b)]) {
    const known = byDigest.get(summary.digest);
    if (known === undefined || isReceivedBefore(summary, known)) byDigest.set(summary.digest, summary);
  }
  return recordOf([...byDigest.values()]);
}

/** What a summary is to a record: unknown, or known as it is, or known but received before that. */
export function standingOf(summary: ReceivedSummary, record: SessionRecord): 'new' | 'known' | 'earlier' {
  const known = summariesOf(record).find(({ digest }) => digest === summary.digest);
  if (known === undefined) return 'new';
  return isReceivedBefore({ ...summary }, known) ? 'earlier' : 'known';
}

/** How much of a record is kept when it has become too large. */
const KEPT = 2 / 3;

/**
 * A record without its last alternates, a third of its size; undefined if it has none. DynamoDB takes 400 KB, which is
 * hundreds of conflicting summaries of one session.
 */
export function withoutLastAlternates(
  record: SessionRecord,
): { record: SessionRecord; removed: StoredSummary[] } | undefined {
  const { alternates = [] } = record;
  if (alternates.length === 0) return undefined;
  let room = JSON.stringify(record).length * KEPT - JSON.stringify({ ...record, alternates: [] }).length;
  const kept = alternates.findIndex((alternate) => {
    room -= JSON.stringify(alternate).length;
    return room < 0;
  });
  return {
    record: recordOf(summariesOf({ ...record, alternates: alternates.slice(0, kept) })),
    removed: alternates.slice(kept),
  };
}

function summariesOf(record: SessionRecord): StoredSummary[] {
  const { alternates = [], revision: _, unsuccessfulIn: __, unsuccessfulAt: ___, ...shown } = record;
  return [shown, ...alternates];
}

function recordOf(summaries: readonly StoredSummary[]): SessionRecord {
  const shown = summaries.reduce((a, b) => (rankOf(a) > rankOf(b) ? a : b));
  const alternates = summaries
    .filter((summary) => summary !== shown)
    .toSorted((a, b) => (rankOf(a) > rankOf(b) ? -1 : 1));
  const isSuccessful = SUCCESSFUL.has(shown.sessionStatus);
  return {
    ...shown,
    alternates: alternates.length > 0 ? alternates : undefined,
    revision: summaries.length,
    unsuccessfulIn: isSuccessful ? undefined : shown.subAccountId,
    unsuccessfulAt: isSuccessful ? undefined : (shown.endTime ?? shown.receivedAt),
  };
}

/** By end of session, then by receipt, so that a correction wins; then by digest, which no two share. All sort as text. */
function rankOf({ endTime = '', receivedAt, digest }: StoredSummary): string {
  return `${endTime} ${receivedAt} ${digest}`;
}

/** Of two wordings of one summary that were received at the same time, either may be kept, but always the same. */
function isReceivedBefore(a: StoredSummary, b: StoredSummary): boolean {
  if (a.receivedAt !== b.receivedAt) return a.receivedAt < b.receivedAt;
  return canonicalJson(a) < canonicalJson(b);
}

/** Sessions that did what they were for; the opt-out outcomes of Voice Messaging are among them. */
const SUCCESSFUL: ReadonlySet<string | undefined> = new Set([
  'COMPLETED',
  'COMPLETED_UNSUBSCRIBED',
  'COMPLETED_UNSUB_ERROR',
  'UNSUBSCRIBED_CONTACT',
]);
