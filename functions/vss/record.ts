import { hash } from 'node:crypto';
import * as v from 'valibot';
import { canonicalJson } from './json.ts';
import type { Summary } from './summary.ts';

/** A summary, what identifies its content, and when it was received (ISO 8601, UTC). */
export interface Version extends Summary {
  /** SHA-256 of the canonical summary, in hexadecimal. */
  digest: string;
  receivedAt: string;
}

/**
 * What merging needs to know of a version in a stored record; the rest passes through as it is, so that a record
 * written by a newer or an older release is merged without loss.
 */
const StoredVersion = v.looseObject({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: v.string(),
  endTime: v.string(),
  digest: v.string(),
  receivedAt: v.string(),
});
type AnyVersion = v.InferOutput<typeof StoredVersion>;

/**
 * The stored session: the set of distinct summaries delivered for one `sessionId`. The one shown is the one with
 * the greatest (endTime, digest); the others are its alternates.
 */
export const SessionRecord = v.looseObject({
  ...StoredVersion.entries,
  alternates: v.optional(v.array(StoredVersion)),
  /** Counts the summaries in the set; the optimistic lock of an update. */
  revision: v.number(),
  /** The sub-account, when the session was not successful: key of the index `unsuccessful-sessions`. */
  unsuccessfulIn: v.optional(v.string()),
});
export type SessionRecord = v.InferOutput<typeof SessionRecord>;

export function versionOf(summary: Summary, receivedAt: string): Version {
  return { ...summary, digest: hash('sha256', canonicalJson(summary), 'hex'), receivedAt };
}

/** The record of a session of which one summary is known. */
export function newRecord(version: Version): SessionRecord {
  return recordOf([{ ...version }]);
}

/**
 * The record of all summaries that either record holds. Commutative, associative and idempotent: the order and
 * the number of deliveries do not matter.
 */
export function merge(a: SessionRecord, b: SessionRecord): SessionRecord {
  const byDigest = new Map<string, AnyVersion>();
  for (const version of [...versionsOf(a), ...versionsOf(b)]) {
    const known = byDigest.get(version.digest);
    if (known === undefined || version.receivedAt < known.receivedAt) byDigest.set(version.digest, version);
  }
  return recordOf([...byDigest.values()]);
}

function versionsOf(record: SessionRecord): AnyVersion[] {
  const { alternates = [], revision: _, unsuccessfulIn: __, ...shown } = record;
  return [shown, ...alternates];
}

function recordOf(versions: AnyVersion[]): SessionRecord {
  const [shown, ...alternates] = versions.toSorted(latestFirst);
  if (shown === undefined) throw new Error('A record holds at least one summary');
  return {
    ...shown,
    ...(alternates.length === 0 ? {} : { alternates }),
    revision: versions.length,
    ...(SUCCESSFUL.has(shown.sessionStatus) ? {} : { unsuccessfulIn: shown.subAccountId }),
  };
}

/** By end of session, then by digest: times are canonical, so they sort as text. */
function latestFirst(a: AnyVersion, b: AnyVersion): number {
  const [before, after] = [`${a.endTime} ${a.digest}`, `${b.endTime} ${b.digest}`];
  return before < after ? 1 : before > after ? -1 : 0;
}

/** Sessions that did what they were for; the opt-out outcomes of Voice Messaging are among them. */
const SUCCESSFUL: ReadonlySet<string> = new Set([
  'COMPLETED',
  'COMPLETED_UNSUBSCRIBED',
  'COMPLETED_UNSUB_ERROR',
  'UNSUBSCRIBED_CONTACT',
]);

export function holds(record: SessionRecord, digest: string): boolean {
  return versionsOf(record).some((version) => version.digest === digest);
}
