import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { ContendedRecordError } from '../../../functions/recorder/record-session.ts';
import {
  MalformedItemError,
  RecordTooLargeError,
  type StoredRecord,
  type StoredRecords,
  storedRecordOf,
} from '../../../functions/recorder/session-table.ts';
import { ERASED_AT, isTombstone } from '../../../functions/recorder/tombstone.ts';
import { canonicalJson } from '../../../functions/vss/json.ts';
import { merge, type SessionRecord } from '../../../functions/vss/record.ts';

/** What became of an exported item. */
export type Restored =
  | { outcome: 'added' | 'changed'; record: SessionRecord }
  | { outcome: 'unchanged' | 'erased' | 'stays-erased' | 'expired' | 'not-selected' }
  | { outcome: 'failed'; reason: string };

export interface RestoreItemOptions {
  table: StoredRecords;
  /** Whether a record is selected. Tombstones always are. */
  isSelected(record: SessionRecord): boolean;
  /** Whether to find out what would change, and change nothing. */
  isDryRun: boolean;
  /** In milliseconds since 1970. */
  now(): number;
}

/** Attempts against concurrent writers of the record. */
const MAX_ATTEMPTS = 20;

/**
 * Merges an item of an export into the table. A tombstone wins over a record, whichever of the two is in the table.
 *
 * @throws ContendedRecordError if concurrent writers keep changing the record.
 */
export async function restoreItem(
  item: Readonly<Record<string, AttributeValue>>,
  options: RestoreItemOptions,
): Promise<Restored> {
  try {
    return isTombstone(item)
      ? await eraseAgain(item, options)
      : await mergeInto(storedRecordOf(item), options);
  } catch (error) {
    if (error instanceof MalformedItemError) return { outcome: 'failed', reason: error.message };
    if (!(error instanceof RecordTooLargeError)) throw error;
    return { outcome: 'failed', reason: 'With the exported summaries, the record would exceed 400 KB' };
  }
}

async function eraseAgain(
  { sessionId, [ERASED_AT]: erasedAt }: Readonly<Record<string, AttributeValue>>,
  { table, isDryRun }: RestoreItemOptions,
): Promise<Restored> {
  const id = sessionId?.S ?? '';
  const isNew = isDryRun ? (await table.read(id)) !== 'erased' : await table.erase(id, erasedAt?.S ?? '');
  return { outcome: isNew ? 'erased' : 'unchanged' };
}

async function mergeInto(
  { record: { event: _, ...record }, expiresAt }: StoredRecord,
  { table, isSelected, isDryRun, now }: RestoreItemOptions,
): Promise<Restored> {
  // Without `event`: the stream of the table publishes the event of every item that is written with one.
  const restored = { record, expiresAt };
  if (!isSelected(record)) return { outcome: 'not-selected' };
  if (expiresAt !== undefined && expiresAt * 1_000 <= now()) return { outcome: 'expired' };
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const stored = await table.read(record.sessionId);
    if (stored === 'erased') return { outcome: 'stays-erased' };
    if (stored === undefined) {
      if (isDryRun || (await table.add(restored))) return { outcome: 'added', record };
      continue;
    }
    const merged = mergeStored(stored, restored);
    if (isSame(merged, stored)) return { outcome: 'unchanged' };
    if (isDryRun || (await table.replace(merged, stored.record.revision)))
      return { outcome: 'changed', record: merged.record };
  }
  throw new ContendedRecordError(`A record changed ${MAX_ATTEMPTS} times while it was being restored`);
}

/** Merges two records, of which the one that expires later determines the expiry. The result has no `event`. */
function mergeStored(a: StoredRecord, b: StoredRecord): StoredRecord {
  const never = a.expiresAt === undefined || b.expiresAt === undefined;
  return {
    record: merge(a.record, b.record),
    expiresAt: never ? undefined : Math.max(a.expiresAt ?? 0, b.expiresAt ?? 0),
  };
}

/** Whether two items have the same content. A revision and an event are about a write, not content. */
function isSame(a: StoredRecord, b: StoredRecord): boolean {
  const [one, other] = [a, b].map(({ record: { event, revision, ...content }, expiresAt }) =>
    canonicalJson({ ...content, expiresAt }),
  );
  return one === other;
}
