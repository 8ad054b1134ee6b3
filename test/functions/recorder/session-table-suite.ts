import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordTooLargeError, sessionTable } from '../../../functions/recorder/session-table.ts';
import { canonicalJson, type Json } from '../../../functions/vss/json.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../summaries.ts';
import { emulatedTable } from './emulated-table.ts';

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

/** Values and names within and just beyond the limits of DynamoDB, each in a separate field. */
const EXTREMES = Object.fromEntries([
  ...Array.from({ length: 40 }, (_, depth) => [`list ${depth}`, nested(depth, (inner) => [inner])]),
  ...Array.from({ length: 40 }, (_, depth) => [`object ${depth}`, nested(depth, (inner) => ({ inner }))]),
  ...[0, 1e-100, 1e-101, 1e-130, 1e-131, 5e-324, 2 ** 53 - 1, 2 ** 53, 1e125, 1e126, 1e308]
    .flatMap((number) => [number, -number])
    .map((number) => [`number ${number}`, number]),
  ...[
    '',
    ' ',
    '__proto__',
    'constructor',
    'a.b',
    '#a',
    ':a',
    '[0]',
    '\\',
    '"',
    '\u0000',
    '\ud800',
    'é😀',
  ].flatMap((name) => [
    [name, name],
    [`in ${name}`, Object.fromEntries([[name, name]])],
  ]),
  ...[255, 256, 65_535, 65_536].map((length) => ['x'.repeat(length), length]),
  ['name of 255', { ['é'.repeat(255)]: 1 }],
  ['name of 256', { ['é'.repeat(256)]: 1 }],
  ['nothing', [[], {}, [[]], [{}], '', null]],
  ['many', Array.from({ length: 10_000 }, () => 1)],
]);

function nested(depth: number, inside: (inner: Json) => Json): Json {
  return depth === 0 ? '' : inside(nested(depth - 1, inside));
}

/** Tests the table of session records on the DynamoDB emulator at this URL. */
export function sessionTableSuite(endpoint: string): void {
  describe('the session table', () => {
    let emulator: Awaited<ReturnType<typeof emulatedTable>>;
    beforeAll(async () => {
      emulator = await emulatedTable(endpoint);
    });
    afterAll(() => emulator.stop());

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

    it('returns no record for a session that was never added', async () => {
      expect(await emulator.table.read('never')).toBeUndefined();
    });

    it('has neither a record nor room for one after a session was erased', async () => {
      const erased = record();
      await emulator.put({ sessionId: erased.sessionId, erasedAt: '2026-12-01T00:00:00.000Z' });

      expect(await emulator.table.read(erased.sessionId)).toBe('erased');
      expect(await emulator.table.add(erased)).toBe(false);
      expect(await emulator.table.replace(erased, 1)).toBe(false);
    });

    it('uses strongly consistent reads, so that it returns a record that was just added', async () => {
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

    it('names the malformed attributes of an item, without quoting their values', async () => {
      const item = { sessionId: 'damaged', sessionStatus: 5, legs: [{ source: '+6591178965' }] };
      await emulator.put(item);

      const reading = emulator.table.read('damaged');

      await expect(reading).rejects.toThrow(
        /^The item of session damaged is not a session record\. Missing or malformed: .*digest/,
      );
      await expect(reading).rejects.not.toThrow('6591178965');
      expect(JSON.stringify(await reading.catch((error: Error) => ({ ...error })))).not.toContain(
        '6591178965',
      );
    });

    it('round-trips any value, even under names that are special in JavaScript', async () => {
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

    it('stores any summary, at the limits of DynamoDB and beyond', async () => {
      const sessionId = `session-${++sessions}`;
      const receivedAt = '2026-01-13T08:27:34.567Z';
      const recordOf = (payload: object) =>
        newRecord(
          receivedSummary(summaryOf(summaryBody({ ...EXTREMES, sessionId, ...payload })), receivedAt),
        );
      // Values in an alternate have the deepest nesting.
      const merged = merge(recordOf({ callCount: 1 }), recordOf({ callCount: 2 }));

      expect(await emulator.table.add(merged)).toBe(true);

      expect(canonicalJson(await emulator.table.read(sessionId))).toBe(canonicalJson(merged));
    });

    it('indexes the unsuccessful sessions of a sub-account by their end time', async () => {
      const unsuccessful = { subAccountId: 'retried', unsuccessfulIn: 'retried' };
      const later = record({ ...unsuccessful, unsuccessfulAt: '2026-01-13T08:27:33.000Z' });
      const earlier = record({ ...unsuccessful, unsuccessfulAt: '2026-01-13T08:27:32.999Z' });
      const elsewhere = record({
        subAccountId: 'another',
        unsuccessfulIn: 'another',
        unsuccessfulAt: '2026-01-13T08:27:33.000Z',
      });
      const successful = record({ subAccountId: 'retried' });
      await Promise.all([later, earlier, elsewhere, successful].map(emulator.table.add));

      expect(await emulator.unsuccessfulIn('retried')).toEqual([earlier, later]);

      await emulator.table.replace({ ...later, unsuccessfulIn: undefined, revision: 2 }, 1);
      expect(await emulator.unsuccessfulIn('retried')).toEqual([earlier]);
    });

    it('keeps records forever without a retention, and otherwise for that time after their last change', async () => {
      const kept = record();
      const expiring = record({ receivedAt: '2025-01-13T08:27:35.500Z' });
      const expiryOf = async ({ sessionId }: SessionRecord) =>
        (await emulator.items()).find((item) => item['sessionId'] === sessionId)?.['expiresAt'];
      await emulator.table.add(kept);
      expect(await expiryOf(kept)).toBeUndefined();

      await emulator.expiring(30, '2026-01-14T08:27:35.500Z').add(expiring);
      expect(await expiryOf(expiring)).toBe(Date.parse('2026-02-13T08:27:35Z') / 1_000);

      await emulator.expiring(30, '2026-01-15T08:27:35.500Z').replace(expiring, 1);
      expect(await expiryOf(expiring)).toBe(Date.parse('2026-02-14T08:27:35Z') / 1_000);
    });

    it('raises the revision with each change, so that a stale write never overwrites a newer one', async () => {
      const first = record();
      await emulator.table.add(first);

      expect(await emulator.table.replace(first, 1)).toBe(true);
      expect(await emulator.table.replace(first, 1)).toBe(false);
      expect(await emulator.table.read(first.sessionId)).toMatchObject({ revision: 2 });
    });

    it('does not return the expiry as part of the record', async () => {
      const first = record();
      await emulator.expiring(1).add(first);

      expect(await emulator.expiring(1).read(first.sessionId)).toEqual(first);
    });

    it('rejects a record of more than 400 KB with a RecordTooLargeError', async () => {
      const long = 'x'.repeat(410_000);
      const small = record();
      await emulator.table.add(small);

      await expect(emulator.table.add(record({ long }))).rejects.toThrow(RecordTooLargeError);
      await expect(emulator.table.replace({ ...small, long }, 1)).rejects.toThrow(RecordTooLargeError);
    });
  });
}
