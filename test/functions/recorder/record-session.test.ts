import { describe, expect, it } from 'vitest';
import { type KeepElsewhere, recordSession } from '../../../functions/recorder/record-session.ts';
import { RecordTooLargeError } from '../../../functions/recorder/session-table.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../summaries.ts';

function received(payload: Readonly<Record<string, unknown>> = {}) {
  return receivedSummary(
    summaryOf(summaryBody({ sessionId: 'session', ...payload })),
    '2026-01-13T08:27:34.567Z',
  );
}

const rejectMoves = () => Promise.reject(new Error('No summary can be moved'));

it('fails after losing the race for a record twenty times, so that the queue retries', async () => {
  let replaced = 0;
  const table = {
    add: async () => false,
    read: async () => newRecord(received({ callCount: ++replaced })),
    replace: async () => false,
  };

  await expect(recordSession({ table, keepElsewhere: rejectMoves }, received())).rejects.toThrow(
    'The record of session session changed 20 times while it was being merged',
  );
  expect(replaced).toBe(19);
});

it('adds the record if the existing one was removed before it could be read', async () => {
  const added: unknown[] = [];
  const table = {
    add: async (record: unknown) => added.push(record) > 1,
    read: async () => undefined,
    replace: async () => false,
  };

  expect(await recordSession({ table, keepElsewhere: rejectMoves }, received())).toBe('recorded');
  expect(added).toHaveLength(2);
});

describe('a record that is too large', () => {
  /** A table that rejects records with more alternates. */
  function tableWithRoomFor(maxAlternates: number, stored: SessionRecord) {
    const replaced: SessionRecord[] = [];
    return {
      replaced,
      add: async () => false,
      read: async () => stored,
      async replace(record: SessionRecord) {
        if ((record.alternates?.length ?? 0) > maxAlternates) throw new RecordTooLargeError('too large');
        replaced.push(record);
        return true;
      },
    };
  }

  const ending = (second: number) => received({ endTime: `2026-01-13T08:28:${second}Z` });
  const stored = [10, 20, 30, 40].map((second) => newRecord(ending(second))).reduce(merge);

  it('keeps the newest summary, and has its oldest ones moved before they are removed from it', async () => {
    const table = tableWithRoomFor(2, stored);
    const moved: unknown[] = [];

    const keepElsewhere: KeepElsewhere = async (alternates) => {
      expect(table.replaced).toEqual([]);
      moved.push(...alternates.map(({ endTime }) => endTime));
    };

    const recorded = await recordSession({ table, keepElsewhere }, ending(50));

    expect(recorded).toBe('conflict');
    const [{ endTime, alternates = [] } = newRecord(ending(0))] = table.replaced;
    expect(endTime).toBe('2026-01-13T08:28:50.000Z');
    expect([...alternates.map((one) => one.endTime), ...moved].toSorted()).toEqual(
      [10, 20, 30, 40].map((second) => `2026-01-13T08:28:${second}.000Z`),
    );
  });

  it('has each summary moved only once, even if the race for the record is lost', async () => {
    const table = tableWithRoomFor(2, stored);
    let races = 0;
    const moved: string[] = [];
    const contended = {
      ...table,
      replace: async (record: SessionRecord) => (await table.replace(record)) && ++races > 2,
    };

    const keepElsewhere: KeepElsewhere = async (alternates) => {
      moved.push(...alternates.map(({ digest }) => digest));
    };

    await recordSession({ table: contended, keepElsewhere }, ending(50));

    expect(races).toBe(3);
    expect(moved.length).toBeGreaterThan(0);
    expect(new Set(moved).size).toBe(moved.length);
  });

  it('is not changed when the new summary is the oldest one, which stays in its message', async () => {
    const table = tableWithRoomFor(3, stored);

    await expect(recordSession({ table, keepElsewhere: rejectMoves }, ending(11))).rejects.toThrow(
      RecordTooLargeError,
    );
    expect(table.replaced).toEqual([]);
  });

  it('is not changed when its oldest summaries cannot be moved', async () => {
    const table = tableWithRoomFor(2, stored);

    await expect(recordSession({ table, keepElsewhere: rejectMoves }, ending(50))).rejects.toThrow(
      'No summary can be moved',
    );
    expect(table.replaced).toEqual([]);
  });
});

it('updates the time of receipt when a duplicate was received earlier', async () => {
  const replaced: SessionRecord[] = [];
  const table = {
    add: async () => false,
    read: async () => newRecord(received()),
    replace: async (record: SessionRecord) => replaced.push(record) > 0,
  };
  const receivedAt = '2026-01-13T08:27:30.000Z';

  expect(await recordSession({ table, keepElsewhere: rejectMoves }, { ...received(), receivedAt })).toBe(
    'duplicate',
  );
  expect(replaced).toMatchObject([{ receivedAt }]);
});
