import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toMessage } from '../../functions/queue/message.ts';
import type { BusEvent } from '../../infra/local/event-bus.ts';
import { deliver, readRecords } from '../../infra/local/examples.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { compareEvents } from '../faults/compare-events.ts';
import {
  type Call,
  type Fault,
  type FaultProxy,
  faultProxy,
  visibilityRewrite,
} from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { queueDepth } from '../queue-depth.ts';
import { randomFrom } from '../random.ts';
import { startStack } from '../start-stack.ts';

/**
 * The promise of session events: each change of a session is told at least once, in order per session, and nothing is
 * told without a change. A change is another summary that the record shows, or a delivery in place of a reconstruction.
 *
 * What could break it: an event that is published but whose response is lost, an event bus or a table that fails or
 * throttles, two recorders that merge summaries of a session at the same time, a delivery that is repeated after its
 * write, and a write that changes something, but not the summary that is shown.
 */

const SESSIONS = 40;
const seed = Date.now() % 1_000_000;
const random = randomFrom(seed);

/** The faults of the event bus. Together they affect two thirds of the calls, so all three attempts of the SDK fail often. */
const FAULTS: readonly (readonly [Fault, number])[] = [
  ['error', 0.2],
  ['throttle', 0.1],
  ['cut-before', 0.17],
  ['cut-after', 0.2],
];

/** How often the faults affect the other services, in relation. */
const ELSEWHERE = 0.15;

let stack: LocalStack;
let failing = true;
const published: BusEvent[] = [];
const proxies: FaultProxy[] = [];
beforeAll(async () => {
  stack = await startStack({
    concurrency: 2,
    onEvent: (event) => published.push(event),
    async between(service, endpoint) {
      const odds = service === 'events' ? 1 : ELSEWHERE;
      const next = ({ operation }: Call): Fault | undefined => {
        // Nobody repeats a delivery that was answered 503, and pollers wait after a failure.
        if (!failing || operation === 'ReceiveMessage' || operation === 'SendMessage') return undefined;
        let left = random() / odds;
        return FAULTS.find(([, share]) => {
          left -= share;
          return left < 0;
        })?.[0];
      };
      // The recorder would hide a message for a minute after a fault.
      const proxy = await faultProxy(
        endpoint,
        next,
        visibilityRewrite(() => 1),
      );
      proxies.push(proxy);
      return proxy.url;
    },
  });
});
afterAll(async () => {
  await stack.stop();
  for (const proxy of proxies) await proxy.close();
});

const at = (second: number) => `2026-11-24T08:00:${String(second).padStart(2, '0')}Z`;
const body = (sessionId: string, sessionStatus: string, second: number) =>
  summaryBody({ sessionId, sessionStatus, startTime: at(0), endTime: at(second) });

/** Sends a reconstruction to the recorder, as reconciliation does. */
async function reconstruct(text: string): Promise<void> {
  const delivery = {
    body: text,
    receivedAt: new Date().toISOString(),
    requestId: 'reconciliation',
    reconstructedFrom: 'log-export',
  };
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, ...toMessage(delivery) }));
}

describe(`of the sessions with corrections, alternates, duplicates and reconstructions (seed ${seed})`, () => {
  it('every change is told at least once and in order, and nothing else', async () => {
    const kinds: readonly ((id: string) => Promise<unknown>[])[] = [
      (id) => [deliver(stack, body(id, 'COMPLETED', 10))],
      // The same summary again.
      (id) => [1, 2, 3].map(() => deliver(stack, body(id, 'BUSY', 10))),
      // A correction and an older summary, in any order.
      (id) =>
        [20, 10, 30].map((second) =>
          deliver(stack, body(id, second === 30 ? 'COMPLETED' : 'FAILED', second)),
        ),
      // A reconstruction, which a delivery replaces.
      (id) => [reconstruct(body(id, 'FAILED', 10)), deliver(stack, body(id, 'FAILED', 10))],
      (id) => [reconstruct(body(id, 'NO_ANSWER', 10))],
    ];
    await Promise.all(
      Array.from({ length: SESSIONS }, (_, i) => kinds[i % kinds.length]?.(`session-${i}`) ?? []).flat(),
    );
    await expect.poll(() => queueDepth(stack.sqs, stack.queueUrl)).toBe(0);
    // The pipe is slower than the recorder: it has to meet faults, too.
    const [eventBus] = proxies.toReversed();
    await expect.poll(() => eventBus?.counts.get('cut-after') ?? 0).toBeGreaterThan(5);
    failing = false;
    await stack.eventsPublished();

    const records = await readRecords(stack);
    expect(records).toHaveLength(SESSIONS);
    expect(compareEvents(stack.changes(), published)).toEqual({ missing: 0, unexpected: 0, disordered: 0 });
    // The test has seen what could break the promise.
    const types = published.map((event) => event['detail-type']);
    expect(new Set(types)).toEqual(new Set(['Session Recorded', 'Session Changed']));
    expect(new Set(published.map(({ id }) => id)).size).toBe(published.length);
    expect(published.length).toBeGreaterThan(new Set(published.map(idOf)).size);
    expect(stack.changes().length).toBeGreaterThan(new Set(published.map(idOf)).size);
  });

  it('the last event of each session is what its record shows', async () => {
    const records = new Map((await readRecords(stack)).map((record) => [record.sessionId, record]));
    const last = new Map(published.map(({ detail }) => [Object(detail).sessionId, Object(detail)]));

    expect(last.size).toBe(records.size);
    for (const [sessionId, { sessionStatus, reconstructedFrom }] of last) {
      const record = records.get(sessionId);
      expect([sessionStatus, reconstructedFrom]).toEqual([
        record?.sessionStatus,
        record?.reconstructedFrom ?? '',
      ]);
    }
  });
});

const idOf = ({ detail }: BusEvent) => Object(detail).id;
