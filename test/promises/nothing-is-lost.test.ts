import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * The promise to the readers of the table: a delivery that was answered 200 is eventually in the table, or in the
 * dead-letter queue, byte for byte and with its time of receipt. No failure after the 200 changes that.
 *
 * What could break it: a recorder that reports success without having written, a message that is deleted before its
 * record is in the table, a retry that gives up silently, and a queue that alters its messages.
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
const backlog = async () => (await stage.queued()).length;

describe('a delivery that was answered 200 is recorded', () => {
  it('every delivery is recorded after DynamoDB fails, throttles, drops the connection or denies access for longer than one receive', async () => {
    stage = await emulatedStage();
    const faults: readonly Fault[] = ['error', 'throttle', 'refuse', 'cut-before', 'cut-after'];
    // Each receive takes three attempts of the SDK.
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

    await expect.poll(backlog).toBe(0);
    expect([...upcoming.values()]).toEqual(faults.map(() => 0));
    expect(await recorded()).toEqual(faults.toSorted());
    expect(await stage.deadLetters()).toEqual([]);
    // After a denied access, the recorder does not change the visibility timeout.
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
    await expect.poll(backlog).toBe(0);
    expect(await recorded()).toEqual(sessionIds);
    expect(await stage.deadLetters()).toEqual([]);
  });

  it('when its visibility timeout expires during the write, and another recorder receives it too', async () => {
    stage = await emulatedStage({ visibilityTimeoutSeconds: 0, recorders: 2 });
    let calls = 0;
    stage.faultOf = ({ operation }) => (operation === 'PutItem' && ++calls === 1 ? 'late' : undefined);
    await deliverAll([bodyOf('session')]);

    stage.startRecorders();

    await expect.poll(backlog).toBe(0);
    expect(await recorded()).toEqual(['session']);
    expect(await stage.deadLetters()).toEqual([]);
    // Both recorders processed it.
    await expect.poll(() => stage.count('DuplicateDeliveries')).toBeGreaterThanOrEqual(2);
  });
});

describe('a delivery that failed five times for an unexpected reason', () => {
  it('is in the dead-letter queue byte for byte, whatever its body contains', async () => {
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

    await expect.poll(backlog).toBe(0);
    const kept = (await stage.deadLetters()).map(({ delivery }) => delivery);
    expect(kept.map(({ body }) => body).toSorted()).toEqual([...bodies, byHand].toSorted());
    expect(new Set(kept)).toEqual(new Set(delivered));
    const reasons = (await stage.deadLetters()).map(({ reason }) => reason);
    expect(reasons).toEqual(bodies.concat(byHand).map(() => 'recording-failed'));
    await expect.poll(() => stage.count('RecordsFailed')).toBe(5 * reasons.length);
    expect(await recorded()).toEqual([]);
  });
});
