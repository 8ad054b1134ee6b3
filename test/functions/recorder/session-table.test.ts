import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordTooLargeError, sessionTable } from '../../../functions/recorder/session-table.ts';
import type { SessionRecord } from '../../../functions/vss/record.ts';
import { emulatedTable } from './emulated-table.ts';

let emulator: Awaited<ReturnType<typeof emulatedTable>>;
beforeAll(async () => {
  emulator = await emulatedTable();
});
afterAll(() => emulator.stop());

let sessions = 0;

function record(attributes: object = {}): SessionRecord {
  return {
    sessionId: `session-${++sessions}`,
    subAccountId: '8x8_test',
    sessionStatus: 'COMPLETED',
    endTime: '2026-01-13T08:27:33.000Z',
    digest: 'd',
    receivedAt: '2026-01-13T08:27:34.567Z',
    revision: 1,
    ...attributes,
  };
}

describe('the table', () => {
  it('adds the record of a session once', async () => {
    const first = record();

    expect(await emulator.table.add(first)).toBe(true);
    expect(await emulator.table.add({ ...first, digest: 'other' })).toBe(false);
    expect(await emulator.table.read(first.sessionId)).toEqual(first);
  });

  it('replaces a record only while it has the revision that was read', async () => {
    const first = record();
    await emulator.table.add(first);

    expect(await emulator.table.replace({ ...first, revision: 2 }, 1)).toBe(true);
    expect(await emulator.table.replace({ ...first, revision: 3 }, 1)).toBe(false);
    expect(await emulator.table.read(first.sessionId)).toHaveProperty('revision', 2);
  });

  it('has no record of a session that was never added', async () => {
    expect(await emulator.table.read('never')).toBeUndefined();
  });

  it('is read consistently: a record that was just added is there', async () => {
    const requests: unknown[] = [];
    const client = new DynamoDBClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    client.middlewareStack.add((_, { commandName }) => async ({ input }) => {
      requests.push([commandName, input]);
      return { output: { $metadata: {} }, response: {} };
    });

    await sessionTable(client, 'sessions').read('s');

    expect(requests).toMatchObject([['GetItemCommand', { ConsistentRead: true }]]);
  });

  it('says what is wrong with an item that is no record, and nothing of what is in it', async () => {
    const item = { sessionId: 'damaged', endTime: 5, legs: [{ source: '+6591178965' }] };
    await emulator.put(item);

    const reading = emulator.table.read('damaged');

    await expect(reading).rejects.toThrow(
      /^The item of session damaged is no session record\. Missing or malformed: .*digest/,
    );
    await expect(reading).rejects.not.toThrow('6591178965');
    expect(JSON.stringify(await reading.catch((error: Error) => ({ ...error })))).not.toContain('6591178965');
  });

  it('gives back any value as it was, also under names that mean something to JavaScript', async () => {
    const strange = record({
      unrecognised: {
        constructor: { name: 'Set' },
        toString: null,
        'a.b["c"]': [[], {}, '', 0, -1.5, true, false, null, 'é😀\u0000\uFFFE'],
        hasOwnProperty: { constructor: { prototype: 1 }, __defineGetter__: 'x' },
      },
      missing: undefined,
    });

    await emulator.table.add(strange);

    expect(await emulator.table.read(strange.sessionId)).toEqual(strange);
  });

  it('keeps records for ever, unless it is told for how many days after they were received', async () => {
    const kept = record();
    const expiring = record({ receivedAt: '2026-01-13T08:27:35.500Z' });
    await emulator.table.add(kept);
    await emulator.expiring(30).add(expiring);
    await emulator
      .expiring(30)
      .replace({ ...expiring, receivedAt: '2026-01-14T08:27:35.500Z', revision: 2 }, 1);

    const items = await emulator.items();
    const expiryOf = (id: string) => items.find(({ sessionId }) => sessionId === id)?.['expiresAt'];
    expect(expiryOf(kept.sessionId)).toBeUndefined();
    expect(expiryOf(expiring.sessionId)).toBe(Date.parse('2026-02-13T08:27:35Z') / 1_000);
  });

  it('never takes the expiry for something delivered', async () => {
    const first = record();
    await emulator.expiring(1).add(first);

    expect(await emulator.expiring(1).read(first.sessionId)).toEqual(first);
  });

  it('refuses a record beyond 400 KB for good', async () => {
    const many = Array.from({ length: 120_000 }, () => 0);

    await expect(emulator.table.add(record({ many: [many, many] }))).rejects.toThrow(RecordTooLargeError);
    const small = record();
    await emulator.table.add(small);
    await expect(emulator.table.replace({ ...small, many: 'x'.repeat(410_000) }, 1)).rejects.toThrow(
      RecordTooLargeError,
    );
  });
});
