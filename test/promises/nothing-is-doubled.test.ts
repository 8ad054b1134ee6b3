import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { toMessage } from '../../functions/queue/message.ts';
import type { Fault } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * The promise to anyone who counts sessions: recording is idempotent. However often the same summary is delivered, the
 * table has one record with one summary, and the metrics count at most one recorded session. 8x8, SQS and an operator
 * may each deliver a summary more than once.
 *
 * What could break it: two recorders that both find no record and both write, a retried write whose acknowledgement was
 * lost, a recorder that dies between writing and deleting the message, and a comparison of bodies instead of content.
 */

let stage: EmulatedStage;
beforeAll(async () => {
  stage = await emulatedStage();
  stage.startRecorders();
});
afterAll(() => stage.stop());

let sessions = 0;
const newSession = () => `doubled-${++sessions}`;
const bodyOf = (sessionId: string) => summaryBody({ sessionId, sessionStatus: 'COMPLETED' });
/** The same summary, serialized differently. */
const rewordedBodyOf = (sessionId: string) =>
  JSON.stringify(
    {
      payload: {
        endTime: '2026-01-13T16:27:33.000+08:00',
        startTime: '2026-01-13T08:26:58.0Z',
        sessionStatus: 'completed',
        subAccountId: '8x8_test',
        sessionId,
        callCount: null,
      },
      eventType: 'SESSION_SUMMARY',
      namespace: 'VOICE',
      description: 'Summary of a completed call session',
    },
    null,
    2,
  );

/** The metrics of a stage so far. */
const countsOf = (stage: EmulatedStage) => ({
  recorded: stage.count('SessionsRecorded'),
  duplicates: stage.count('DuplicateDeliveries'),
});
type Counts = ReturnType<typeof countsOf>;

/** Waits until the metrics have risen by `increase`, and expects one record with one summary. */
async function expectOneRecord(stage: EmulatedStage, sessionId: string, before: Counts, increase: Counts) {
  await expect.poll(() => stage.queued()).toEqual([]);
  await expect
    .poll(() => countsOf(stage))
    .toEqual({
      recorded: before.recorded + increase.recorded,
      duplicates: before.duplicates + increase.duplicates,
    });
  const record = (await stage.records()).get(sessionId);
  expect(record).toMatchObject({ sessionId });
  expect(record).not.toHaveProperty('alternates');
  expect(await stage.deadLetters()).toEqual([]);
}

/** Delivers the summary of a new session, and waits for its record. */
async function newRecord() {
  const sessionId = newSession();
  await stage.deliver(bodyOf(sessionId));
  await expect.poll(async () => (await stage.records()).get(sessionId)).toBeDefined();
  return { sessionId, record: (await stage.records()).get(sessionId) };
}

/** Injects a fault into the next write only. */
function failNextWrite(fault: Fault): void {
  stage.faultOf = ({ operation }) => {
    if (operation !== 'PutItem') return undefined;
    stage.faultOf = () => undefined;
    return fault;
  };
}

it('a summary that is delivered ten times concurrently becomes one record', async () => {
  const several = await emulatedStage({ recorders: 3 });
  onTestFinished(() => several.stop());
  const sessionId = newSession();
  several.startRecorders();

  const answers = await Promise.all(Array.from({ length: 10 }, () => several.deliver(bodyOf(sessionId))));

  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
  const none = { recorded: 0, duplicates: 0 };
  await expectOneRecord(several, sessionId, none, { recorded: 1, duplicates: 9 });
});

it('a later delivery of the same summary, even if serialized differently, does not change the record', async () => {
  const before = countsOf(stage);
  const { sessionId, record } = await newRecord();

  await stage.deliver(bodyOf(sessionId));
  await stage.deliver(rewordedBodyOf(sessionId));

  await expectOneRecord(stage, sessionId, before, { recorded: 1, duplicates: 2 });
  expect((await stage.records()).get(sessionId)).toEqual(record);
});

it('a redriven dead letter of a session that is already recorded changes only its time of receipt', async () => {
  const before = countsOf(stage);
  const { sessionId, record } = await newRecord();
  const receivedAt = '2026-01-13T08:27:34.567Z';

  await stage.send(toMessage({ body: bodyOf(sessionId), receivedAt, requestId: randomUUID() }));

  await expectOneRecord(stage, sessionId, before, { recorded: 1, duplicates: 1 });
  expect((await stage.records()).get(sessionId)).toEqual({ ...record, receivedAt, revision: 2 });
});

it('a summary is a duplicate when the recorder was killed between writing it and deleting its message', async () => {
  const before = countsOf(stage);
  failNextWrite('late');

  const { sessionId, record } = await newRecord();
  const isKilled = stage.killRecorder();

  expect(isKilled).toBe(true);
  await expectOneRecord(stage, sessionId, before, { recorded: 0, duplicates: 1 });
  expect((await stage.records()).get(sessionId)).toEqual(record);
});

it('a write that is retried because its acknowledgement was lost creates one record', async () => {
  const before = countsOf(stage);
  failNextWrite('cut-after');

  const { sessionId } = await newRecord();

  await expectOneRecord(stage, sessionId, before, { recorded: 0, duplicates: 1 });
});
