import { expect, it } from 'vitest';
import { recordSession } from '../../../functions/recorder/record-session.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../summaries.ts';

function received(payload: Readonly<Record<string, unknown>> = {}) {
  return receivedSummary(
    summaryOf(summaryBody({ sessionId: 'session', ...payload })),
    '2026-01-13T08:27:34.567Z',
  );
}

it('leaves a session that others keep changing to the queue, after twenty lost races', async () => {
  let replaced = 0;
  const table = {
    add: async () => false,
    read: async () => newRecord(received({ callCount: ++replaced })),
    replace: async () => false,
  };

  await expect(recordSession(table, received())).rejects.toThrow(
    'The record of session session changed 20 times while it was being merged',
  );
  expect(replaced).toBe(19);
});

it('adds a record again that was removed before it could be read', async () => {
  const added: unknown[] = [];
  const table = {
    add: async (record: unknown) => added.push(record) > 1,
    read: async () => undefined,
    replace: async () => false,
  };

  expect(await recordSession(table, received())).toBe('recorded');
  expect(added).toHaveLength(2);
});
