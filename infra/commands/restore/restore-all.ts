import { setTimeout } from 'node:timers/promises';
import { rateLimit } from '../../../functions/rate-limit.ts';
import type { StoredRecords } from '../../../functions/recorder/session-table.ts';
import { isTransientFault } from '../../../functions/recorder/transient-fault.ts';
import type { SessionRecord } from '../../../functions/vss/record.ts';
import type { ExportedItem } from './exported-items.ts';
import { type Restored, restoreItem } from './restore-item.ts';

export interface Selection {
  /** Undefined for all. */
  sessionIds: ReadonlySet<string> | undefined;
  /** The first and the last UTC day on which sessions ended. */
  from: string | undefined;
  to: string | undefined;
}

export interface RestoreAllOptions {
  table: StoredRecords;
  selection: Selection;
  /** The most sessions per second that are looked up in the table. */
  perSecond: number;
  isDryRun: boolean;
  interrupted: AbortSignal;
  /** Receives what became of each item. */
  note(exported: ExportedItem, restored: Restored): void;
  /** Default: waits until then, or until the signal aborts. */
  pause?(milliseconds: number): Promise<unknown>;
}

/** How many items are restored concurrently. */
const CONCURRENCY = 32;

/** Merges exported items into the table, until the signal aborts. */
export async function restoreAll(
  exported: AsyncGenerator<ExportedItem>,
  { selection, isDryRun, interrupted, note, ...options }: RestoreAllOptions,
): Promise<void> {
  const {
    perSecond,
    pause = (milliseconds) => setTimeout(milliseconds, undefined, { signal: interrupted }).catch(() => {}),
  } = options;
  const limit = rateLimit(perSecond, undefined, pause);
  const itemOptions = {
    table: paced(options.table, limit),
    isSelected: (record: SessionRecord) => endedWithin(record, selection),
    isDryRun,
    now: Date.now,
  };
  async function restore(): Promise<void> {
    for await (const each of exported) {
      if (interrupted.aborted) return;
      const { sessionId, item } = each;
      if (sessionId === undefined || item === undefined)
        note(each, { outcome: 'failed', reason: 'This is not a session record' });
      else if (selection.sessionIds?.has(sessionId) !== false)
        note(each, await retried(() => restoreItem(item, itemOptions), pause));
    }
  }
  // The first that fails or is interrupted ends the reading, and the others finish their item.
  const ended = await Promise.allSettled(Array.from({ length: CONCURRENCY }, restore));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

/** Waits before each item that is looked up. Writes follow a read. */
function paced(table: StoredRecords, limit: () => Promise<void>): StoredRecords {
  return {
    ...table,
    read: (sessionId) => limit().then(() => table.read(sessionId)),
    erase: (sessionId, erasedAt) => limit().then(() => table.erase(sessionId, erasedAt)),
  };
}

function endedWithin({ endTime, receivedAt }: SessionRecord, { from, to }: Selection): boolean {
  const day = (endTime ?? receivedAt).slice(0, 10);
  return (from === undefined || day >= from) && (to === undefined || day <= to);
}

/** Pauses before the retries after a transient fault, such as throttling: four minutes in all. */
export const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000];

async function retried<T>(
  attempt: () => Promise<T>,
  pause: (milliseconds: number) => Promise<unknown>,
): Promise<T> {
  for (const milliseconds of PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransientFault(error)) throw error;
      await pause(milliseconds);
    }
  }
  return attempt();
}
