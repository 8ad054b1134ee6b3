import { describe, expect, it } from 'vitest';
import { toItem } from '../../../../functions/recorder/item.ts';
import type { StoredRecords } from '../../../../functions/recorder/session-table.ts';
import { newRecord, receivedSummary } from '../../../../functions/vss/record.ts';
import type { ExportedItem } from '../../../../infra/commands/restore/exported-items.ts';
import {
  PAUSES_MS,
  type RestoreAllOptions,
  restoreAll,
} from '../../../../infra/commands/restore/restore-all.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';

const throttled = Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });

function exported(sessionId: string, summary: object = {}): ExportedItem {
  const record = newRecord(
    receivedSummary(summaryOf(summaryBody({ sessionId, ...summary })), '2026-11-20T10:00:05.000Z'),
  );
  return { sessionId, item: toItem(record), place: '' };
}

/** Restores sessions to a table whose writes are answered by `write`. Returns what became of them. */
async function restored(
  sessionIds: readonly string[],
  write: (sessionId: string) => Promise<boolean>,
  { summary, ...options }: Partial<RestoreAllOptions> & { summary?: object } = {},
) {
  const table: StoredRecords = {
    read: async () => undefined,
    add: ({ record }) => write(record.sessionId),
    replace: () => Promise.reject(new Error('No record has to be replaced')),
    erase: () => Promise.reject(new Error('No session was erased')),
  };
  const outcomes = new Map<string | undefined, string>();
  const pauses: number[] = [];
  async function* items() {
    yield* sessionIds.map((sessionId) => exported(sessionId, summary));
  }
  await restoreAll(items(), {
    table,
    selection: { sessionIds: undefined, from: undefined, to: undefined },
    perSecond: 1e9,
    isDryRun: false,
    interrupted: new AbortController().signal,
    note: ({ sessionId }, { outcome }) => outcomes.set(sessionId, outcome),
    pause: async (milliseconds) => pauses.push(milliseconds),
    ...options,
  });
  return { outcomes, pauses: pauses.filter((milliseconds) => milliseconds >= 1_000) };
}

describe('restoreAll', () => {
  it('retries an item with longer and longer pauses while DynamoDB throttles it', async () => {
    let attempts = 0;
    const write = async () => {
      if (++attempts <= 3) throw throttled;
      return true;
    };

    expect(await restored(['a'], write)).toEqual({
      outcomes: new Map([['a', 'added']]),
      pauses: PAUSES_MS.slice(0, 3),
    });
  });

  it('fails after the last retry, and at once for a fault that does not pass', async () => {
    let attempts = 0;
    const failWith = (error: Error) => async () => {
      attempts++;
      throw error;
    };

    await expect(restored(['a'], failWith(throttled))).rejects.toThrow(throttled);
    expect(attempts).toBe(PAUSES_MS.length + 1);
    attempts = 0;
    await expect(restored(['a'], failWith(new Error('AccessDenied')))).rejects.toThrow('AccessDenied');
    expect(attempts).toBe(1);
  });

  it('restores the session after all when the one in the table changes or disappears in between', async () => {
    let attempts = 0;

    const { outcomes, pauses } = await restored(['a'], async () => ++attempts > 2);

    expect([outcomes.get('a'), attempts, pauses]).toEqual(['added', 3, []]);
  });

  it('ends when it is interrupted, after the items that it has begun', async () => {
    const interruption = new AbortController();
    const ids = Array.from({ length: 200 }, (_, i) => `session-${i}`);
    const write = async (sessionId: string) => {
      if (sessionId === 'session-50') interruption.abort();
      return true;
    };

    const { outcomes } = await restored(ids, write, { interrupted: interruption.signal });

    expect(outcomes.get('session-50')).toBe('added');
    expect(outcomes.size).toBeLessThan(100);
  });

  it('restores all sessions if no day is selected, however late they ended', async () => {
    const summary = { endTime: '9999-01-01T00:00:00Z' };

    const { outcomes } = await restored(['a'], async () => true, { summary });

    expect(outcomes.get('a')).toBe('added');
  });

  it('looks up at most as many sessions per second as requested, and none for those that are not selected', async () => {
    const pauses: number[] = [];
    const pause = async (milliseconds: number) => pauses.push(milliseconds);
    const options = { perSecond: 0.001, pause };

    await restored(['a', 'b', 'c'], async () => true, {
      ...options,
      selection: { sessionIds: undefined, from: undefined, to: '2026-01-12' },
    });
    expect(pauses).toEqual([]);

    await restored(['a', 'b', 'c'], async () => true, options);
    expect(pauses.map((milliseconds) => Math.round(milliseconds / 1e6))).toEqual([1, 2]);
  });
});
