import * as v from 'valibot';
import { canonicalJson } from './json.ts';
import type { Summary } from './summary.ts';

/** A summary, and when it was first received (ISO 8601, UTC). */
export interface ReceivedSummary extends Summary {
  receivedAt: string;
  /**
   * The source from which the summary was reconstructed, `log-export`; undefined if 8x8 delivered it. `receivedAt` is
   * then when the source was asked.
   */
  reconstructedFrom?: string | undefined;
}

/**
 * The attributes of a stored summary that merging needs. Others pass through unchanged, so that a record written by a
 * newer or an older release is merged without loss.
 */
const StoredSummary = v.looseObject({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: v.optional(v.string()),
  endTime: v.optional(v.string()),
  digest: v.string(),
  receivedAt: v.string(),
  reconstructedFrom: v.optional(v.string()),
});
export type StoredSummary = v.InferOutput<typeof StoredSummary>;

/**
 * The stored session: the set of distinct summaries delivered for one `sessionId`. It shows the summary with the
 * greatest (endTime, receivedAt, digest); the others are its alternates, in descending order. Until one is delivered, it
 * shows the newest reconstruction.
 */
export const SessionRecord = v.looseObject({
  ...StoredSummary.entries,
  alternates: v.optional(v.array(StoredSummary)),
  /** Counts the writes of the record, for optimistic locking. */
  revision: v.number(),
  /** The sub-account, if the session was not successful: partition key of the index `unsuccessful-sessions`. */
  unsuccessfulIn: v.optional(v.string()),
  /** `endTime` or, if that is absent, `receivedAt`: sort key of that index. */
  unsuccessfulAt: v.optional(v.string()),
  /** What the last write changed, if session events are published and it changed the shown summary: `session-event.ts`. */
  event: v.optional(v.unknown()),
});
export type SessionRecord = v.InferOutput<typeof SessionRecord>;

export function receivedSummary(
  summary: Summary,
  receivedAt: string,
  reconstructedFrom?: string,
): ReceivedSummary {
  return { ...summary, receivedAt, ...(reconstructedFrom !== undefined && { reconstructedFrom }) };
}

/** The record of a session with one summary. */
export function newRecord(summary: ReceivedSummary): SessionRecord {
  return recordOf([{ ...summary }]);
}

/**
 * Merges the summaries of two records into one record. Commutative, associative and idempotent: the order and the
 * number of deliveries do not matter. A delivered summary replaces every reconstruction.
 */
export function merge(a: SessionRecord, b: SessionRecord): SessionRecord {
  const all = [...summariesOf(a), ...summariesOf(b)];
  const delivered = all.filter(isDelivered);
  if (delivered.length === 0) return recordOf([all.reduce(newerOf)]);
  const byDigest = new Map<string, StoredSummary>();
  for (const summary of delivered) {
    const known = byDigest.get(summary.digest);
    if (known === undefined || isReceivedBefore(summary, known)) byDigest.set(summary.digest, summary);
  }
  return recordOf([...byDigest.values()]);
}

/**
 * How a summary relates to a record: the `first` that 8x8 delivered, `new` beside others, `known`, known but received
 * `earlier` than recorded, or a `newer` reconstruction. A reconstruction of a delivered session counts as known.
 */
export type Standing = 'first' | 'new' | 'known' | 'earlier' | 'newer';

export function standingOf(summary: ReceivedSummary, record: SessionRecord): Standing {
  const added = { ...summary };
  const [shown = added] = summariesOf(record);
  if (!isDelivered(added)) return !isDelivered(shown) && isReceivedBefore(shown, added) ? 'newer' : 'known';
  if (!isDelivered(shown)) return 'first';
  const known = summariesOf(record).find(({ digest }) => digest === summary.digest);
  if (known === undefined) return 'new';
  return isReceivedBefore(added, known) ? 'earlier' : 'known';
}

function isDelivered({ reconstructedFrom }: Pick<StoredSummary, 'reconstructedFrom'>): boolean {
  return reconstructedFrom === undefined;
}

/** Of two reconstructions of a session, the newer one is kept: the source may have had less data before. */
function newerOf(a: StoredSummary, b: StoredSummary): StoredSummary {
  return isReceivedBefore(a, b) ? b : a;
}

/** The share of its size that a record keeps when it is too large. */
const KEPT_SHARE = 2 / 3;

/**
 * Removes the last alternates of a record, a third of its size; undefined if it has none. DynamoDB's limit of 400 KB is
 * enough for hundreds of conflicting summaries of one session.
 */
export function withoutLastAlternates(
  record: SessionRecord,
): { record: SessionRecord; removed: StoredSummary[] } | undefined {
  const { alternates = [] } = record;
  if (alternates.length === 0) return undefined;
  let room =
    JSON.stringify(record).length * KEPT_SHARE - JSON.stringify({ ...record, alternates: [] }).length;
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
  const { alternates = [], revision, unsuccessfulIn, unsuccessfulAt, event, ...shown } = record;
  return [shown, ...alternates];
}

function recordOf(summaries: readonly StoredSummary[]): SessionRecord {
  const shown = summaries.reduce((a, b) => (rankOf(a) > rankOf(b) ? a : b));
  const alternates = summaries
    .filter((summary) => summary !== shown)
    .toSorted((a, b) => (rankOf(a) > rankOf(b) ? -1 : 1));
  const isIndexed = !isSuccessful(shown);
  return {
    ...shown,
    alternates: alternates.length > 0 ? alternates : undefined,
    revision: summaries.length,
    unsuccessfulIn: isIndexed ? shown.subAccountId : undefined,
    unsuccessfulAt: isIndexed ? (shown.endTime ?? shown.receivedAt) : undefined,
  };
}

/** By end of session, then by receipt, so that a correction wins; then by digest, which is unique. All sort as text. */
function rankOf({ endTime = '', receivedAt, digest }: StoredSummary): string {
  return `${endTime} ${receivedAt} ${digest}`;
}

/** Of two versions of a summary that were received at the same time, either may be kept, but always the same one. */
function isReceivedBefore(a: StoredSummary, b: StoredSummary): boolean {
  if (a.receivedAt !== b.receivedAt) return a.receivedAt < b.receivedAt;
  return canonicalJson(a) < canonicalJson(b);
}

/** Whether a session achieved its purpose. The opt-out outcomes of Voice Messaging did. */
export function isSuccessful({ sessionStatus }: Pick<StoredSummary, 'sessionStatus'>): boolean {
  return SUCCESSFUL.has(sessionStatus);
}

const SUCCESSFUL: ReadonlySet<string | undefined> = new Set([
  'COMPLETED',
  'COMPLETED_UNSUBSCRIBED',
  'COMPLETED_UNSUB_ERROR',
  'UNSUBSCRIBED_CONTACT',
]);
