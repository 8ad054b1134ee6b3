import { hash } from 'node:crypto';
import * as v from 'valibot';
import { canonicalJson } from './json.ts';
import type { Summary } from './summary.ts';

/** A summary, what identifies its content, and when it was received (ISO 8601, UTC). */
export interface ReceivedSummary extends Summary {
  /** SHA-256 of the canonical summary, in hexadecimal. */
  digest: string;
  receivedAt: string;
}

/**
 * What merging needs to know of a summary in a stored record; the rest passes through as it is, so that a record
 * written by a newer or an older release is merged without loss.
 */
const StoredSummary = v.looseObject({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: v.string(),
  endTime: v.string(),
  digest: v.string(),
  receivedAt: v.string(),
});
type AnySummary = v.InferOutput<typeof StoredSummary>;

/**
 * The stored session: the set of distinct summaries delivered for one `sessionId`. The one shown is the one with
 * the greatest (endTime, digest); the others are its alternates.
 */
export const SessionRecord = v.looseObject({
  ...StoredSummary.entries,
  alternates: v.optional(v.array(StoredSummary)),
  /** Counts the summaries in the set; the optimistic lock of an update. */
  revision: v.number(),
  /** The sub-account, when the session was not successful: key of the index `unsuccessful-sessions`. */
  unsuccessfulIn: v.optional(v.string()),
});
export type SessionRecord = v.InferOutput<typeof SessionRecord>;

export function receivedSummary(summary: Summary, receivedAt: string): ReceivedSummary {
  return { ...summary, digest: hash('sha256', canonicalJson(summary), 'hex'), receivedAt };
}

/** The record of a session of which one summary is known. */
export function newRecord(summary: ReceivedSummary): SessionRecord {
  return recordOf([{ ...summary }]);
}

/**
 * The record of all summaries that either record holds. Commutative, associative and idempotent: the order and
 * the number of deliveries do not matter.
 */
export function merge(a: SessionRecord, b: SessionRecord): SessionRecord {
  const byDigest = new Map<string, AnySummary>();
  for (const summary of [...summariesOf(a), ...summariesOf(b)]) {
    const known = byDigest.get(summary.digest);
    if (known === undefined || summary.receivedAt < known.receivedAt) byDigest.set(summary.digest, summary);
  }
  return recordOf([...byDigest.values()]);
}

function summariesOf(record: SessionRecord): AnySummary[] {
  const { alternates = [], revision: _, unsuccessfulIn: __, ...shown } = record;
  return [shown, ...alternates];
}

function recordOf(summaries: AnySummary[]): SessionRecord {
  const shown = summaries.reduce((a, b) => (endsLater(a, b) ? a : b));
  const alternates = summaries
    .filter((summary) => summary !== shown)
    .sort((a, b) => (endsLater(a, b) ? -1 : 1));
  return {
    ...shown,
    alternates: alternates.length > 0 ? alternates : undefined,
    revision: summaries.length,
    unsuccessfulIn: SUCCESSFUL.has(shown.sessionStatus) ? undefined : shown.subAccountId,
  };
}

/** By end of session, then by digest, which no two summaries share: times are canonical, so they sort as text. */
function endsLater(a: AnySummary, b: AnySummary): boolean {
  return `${a.endTime} ${a.digest}` > `${b.endTime} ${b.digest}`;
}

/** Sessions that did what they were for; the opt-out outcomes of Voice Messaging are among them. */
const SUCCESSFUL: ReadonlySet<string> = new Set([
  'COMPLETED',
  'COMPLETED_UNSUBSCRIBED',
  'COMPLETED_UNSUB_ERROR',
  'UNSUBSCRIBED_CONTACT',
]);

export function holds(record: SessionRecord, digest: string): boolean {
  return summariesOf(record).some((summary) => summary.digest === digest);
}
