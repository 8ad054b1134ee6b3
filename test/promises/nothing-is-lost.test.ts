import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * Promised to whoever counts on the table: what was answered 200 is in the table, or it waits in the dead-letter queue,
 * byte for byte and with when it was received, for a person to look at. Whatever happens after the 200.
 *
 * It would be broken by a recorder that reports as done what it did not write, by a message that is taken out of the
 * queue before it is in the table, by a retry that gives up without a word, and by a queue that alters what it carries.
 */

let stage: EmulatedStage;
afterEach(() => stage.stop());

/** Delivers bodies, each of which is answered 200. */
async function deliverAll(bodies: readonly string[]): Promise<void> {
  const answers = await Promise.all(bodies.map((body) => stage.deliver(body)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(bodies.map(() => 200));
}

const bodyOf = (sessionId: string) => summaryBody({ sessionId });
const recorded = async () => [...(await stage.records()).keys()].toSorted();
const left = async () => (await stage.queued()).length;

describe('a delivery that was answered 200 is recorded', () => {
  it('after the table was down, throttled, cut off, or refused, for longer than one try', async () => {
    stage = await emulatedStage();
    const faults: readonly Fault[] = ['error', 'throttle', 'refuse', 'cut-before', 'cut-after'];
    // The SDK makes three attempts of one try.
    const upcoming = new Map(faults.map((fault) => [fault, 4]));
    await deliverAll(faults.map(bodyOf));
    stage.faultOf = ({ body }) => {
      const fault = faults.find((name) => body.includes(`"${name}"`) && upcoming.get(name) !== 0);
      if (fault !== undefined) upcoming.set(fault, (upcoming.get(fault) ?? 0) - 1);
      return fault;
    };
    const hidden: number[] = [];
    stage.hiddenFor = (seconds) => {
      hidden.push(seconds);
      return 0;
    };

    stage.startRecorders();

    await expect.poll(left).toBe(0);
    expect([...upcoming.values()]).toEqual(faults.map(() => 0));
    expect(await recorded()).toEqual(faults.toSorted());
    expect(await stage.deadLetters()).toEqual([]);
    // What AWS refuses is not hidden for longer than what the queue hides anyway.
    expect(hidden).toEqual(faults.filter((fault) => fault !== 'refuse').map(() => 60));
  });

  it('when the recorder is killed in the middle of a batch', async () => {
    stage = await emulatedStage();
    const sessionIds = Array.from({ length: 10 }, (_, i) => `session-${i}`);
    await deliverAll(sessionIds.map(bodyOf));
    stage.faultOf = ({ body }) => (body.includes('session-5') ? 'silent' : undefined);

    stage.startRecorders();
    await expect.poll(recorded).toHaveLength(9);
    stage.faultOf = () => undefined;
    const isKilled = stage.killRecorder();

    expect(isKilled).toBe(true);
    await expect.poll(left).toBe(0);
    expect(await recorded()).toEqual(sessionIds);
    expect(await stage.deadLetters()).toEqual([]);
  });

  it('when the visibility timeout runs out while it is written, and another recorder has it too', async () => {
    stage = await emulatedStage({ visibilityTimeoutSeconds: 0, recorders: 2 });
    let calls = 0;
    stage.faultOf = ({ operation }) => (operation === 'PutItem' && ++calls === 1 ? 'late' : undefined);
    await deliverAll([bodyOf('session')]);

    stage.startRecorders();

    await expect.poll(left).toBe(0);
    expect(await recorded()).toEqual(['session']);
    expect(await stage.deadLetters()).toEqual([]);
    // Both had it, and neither stood in the other's way.
    await expect.poll(() => stage.count('DuplicateDeliveries')).toBeGreaterThanOrEqual(2);
  });
});

describe('a delivery that failed five times for a reason nobody foresaw', () => {
  it('is in the dead-letter queue as it was delivered, whatever is in it', async () => {
    stage = await emulatedStage();
    const body = bodyOf('odd');
    const bodies = [
      ` ${JSON.stringify(JSON.parse(body), null, 4)}\r\n`,
      `\uFEFF${body}`,
      summaryBody({ sessionId: 'odd', clientRequestId: '😀 \uFFFE \u007F ÿ \u2028' }),
      body.replace('"payload":{', '"payload":{"callCount":1e0,"large":1e400,"callCount":"2",'),
      summaryBody({ sessionId: 'odd', errorDetails: { errorMsg: 'é'.repeat(120_000) } }),
      body.replace('{', '{"\\ud800":"\\u0000",'),
    ];
    await deliverAll(bodies);
    const byHand = bodyOf('by-hand');
    await stage.send({ MessageBody: byHand });
    const delivered = (await stage.queued()).map(({ delivery }) => delivery);
    stage.faultOf = ({ operation }) => (operation === 'PutItem' ? 'refuse' : undefined);

    stage.startRecorders();

    await expect.poll(left).toBe(0);
    const kept = (await stage.deadLetters()).map(({ delivery }) => delivery);
    expect(kept.map(({ body }) => body).toSorted()).toEqual([...bodies, byHand].toSorted());
    expect(new Set(kept)).toEqual(new Set(delivered));
    const reasons = (await stage.deadLetters()).map(({ reason }) => reason);
    expect(reasons).toEqual(bodies.concat(byHand).map(() => 'recording-failed'));
    await expect.poll(() => stage.count('RecordsFailed')).toBe(5 * reasons.length);
    expect(await recorded()).toEqual([]);
  });
});
