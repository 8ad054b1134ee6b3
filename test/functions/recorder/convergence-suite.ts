import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Delivery, toMessage } from '../../../functions/queue/message.ts';
import type { BatchMessage } from '../../../functions/recorder/batch-message.ts';
import { createHandler } from '../../../functions/recorder/create-handler.ts';
import { canonicalJson, type JsonObject } from '../../../functions/vss/json.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { carried } from '../queue/carried.ts';
import { summaryOf } from '../summaries.ts';
import { telemetry } from '../telemetry.ts';
import { delivery } from '../vss/deliveries.ts';
import { emulatedTable } from './emulated-table.ts';

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 24) / 4;

/** The messages to make: which delivery, its time of receipt, its recorder, its batch and its place in the batch. */
const plan = fc.array(
  fc.record({
    pick: fc.nat(3),
    time: fc.nat(3),
    recorder: fc.nat(2),
    batch: fc.nat(2),
    place: fc.nat(1_000),
    isReconstructed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

const receivedAtOf = (time: number) => `2026-01-13T08:27:3${time}.567Z`;
let runs = 0;

/**
 * Any list of deliveries, shuffled, repeated, split into any batches and recorded by several recorders concurrently,
 * results in the items that the pure merge returns. What could break it: a race between two recorders, an item that does
 * not round-trip, and a value that DynamoDB changes.
 *
 * @param endpoint URL of a DynamoDB emulator.
 */
export function convergenceSuite(endpoint: string): void {
  let emulator: Awaited<ReturnType<typeof emulatedTable>>;
  beforeAll(async () => {
    emulator = await emulatedTable(endpoint);
  });
  afterAll(() => emulator.stop());

  it('concurrent recorders write the items that the pure merge returns, for any deliveries', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delivery, { minLength: 1, maxLength: 4 }), plan, async (deliveries, made) => {
        const run = ++runs;
        const received = made.map(({ pick, time, isReconstructed }) => ({
          body: bodyOf(deliveries[pick % deliveries.length] ?? {}, run),
          receivedAt: receivedAtOf(time),
          requestId: 'request',
          ...(isReconstructed && { reconstructedFrom: 'log-export' }),
        }));

        const batches = new Map<string, { place: number; message: BatchMessage }[]>();
        for (const [i, { recorder, batch, place }] of made.entries()) {
          const key = `${recorder} ${batch}`;
          const message = carried(toMessage(received[i] ?? NOTHING), String(i));
          batches.set(key, [...(batches.get(key) ?? []), { place, message }]);
        }
        const responses = await Promise.all(
          [...batches.values()].map((batch) =>
            createHandler({
              table: emulator.table,
              now: Date.now,
              sendToDeadLetters: () => Promise.reject(),
              changeVisibility: () => Promise.reject(),
              ...telemetry(),
            })({
              Records: batch.toSorted((a, b) => a.place - b.place).map(({ message }) => message),
            }),
          ),
        );

        expect(responses.flatMap(({ batchItemFailures }) => batchItemFailures)).toEqual([]);
        const stored = await Promise.all(
          expectedRecords(received).map(
            async (expected) => [expected, Object(await emulator.table.read(expected.sessionId))] as const,
          ),
        );
        // The revision counts writes, and there may be an additional one if the earliest receipt is recorded last.
        for (const [expected, item] of stored)
          expect(canonicalJson({ ...item, revision: 0 })).toBe(canonicalJson({ ...expected, revision: 0 }));
      }),
      { numRuns },
    );
  });
}

/** A delivery with a session id that is unique to this run, so that runs do not share records. */
function bodyOf(delivered: JsonObject, run: number): string {
  const sessionId = JSON.stringify(delivered).includes('"session-1"') ? 'session-1' : 'session-2';
  return JSON.stringify(delivered).replace(
    `"sessionId":"${sessionId}"`,
    `"sessionId":"run-${run}-${sessionId}"`,
  );
}

interface Sent extends Delivery {
  body: string;
}

function expectedRecords(sent: readonly Sent[]): SessionRecord[] {
  const records = new Map<string, SessionRecord>();
  for (const { body, receivedAt, reconstructedFrom } of sent) {
    const record = newRecord(receivedSummary(summaryOf(body), receivedAt, reconstructedFrom));
    const known = records.get(record.sessionId);
    records.set(record.sessionId, known === undefined ? record : merge(known, record));
  }
  return [...records.values()];
}

const NOTHING = { body: '', receivedAt: '', requestId: '' };
