import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { toMessage } from '../../functions/queue/message.ts';
import type { Fault } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * Promised to whoever counts sessions: however often the same summary is delivered, it is one record with one summary,
 * and it is counted once as recorded, at most. 8x8 may deliver twice, SQS may, and an operator may.
 *
 * It would be broken by two recorders that both find nothing and both write, by a write whose acknowledgement got lost
 * and that is made again, by a recorder that ends between writing and deleting, and by a comparison of bodies instead
 * of what they say.
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
/** The same summary in other words. */
const inOtherWords = (sessionId: string) =>
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

/** What the recorders of a stage have counted until now. */
const countsOf = (of: EmulatedStage) => ({
  recorded: of.count('SessionsRecorded'),
  duplicates: of.count('DuplicateDeliveries'),
});
type Counts = ReturnType<typeof countsOf>;

/** Waits until all that was sent is counted, as so many more than before, and expects one record of one summary. */
async function expectOneRecord(of: EmulatedStage, sessionId: string, before: Counts, counted: Counts) {
  await expect.poll(() => of.queued()).toEqual([]);
  await expect
    .poll(() => countsOf(of))
    .toEqual({
      recorded: before.recorded + counted.recorded,
      duplicates: before.duplicates + counted.duplicates,
    });
  const record = (await of.records()).get(sessionId);
  expect(record).toMatchObject({ sessionId });
  expect(record).not.toHaveProperty('alternates');
  expect(await of.deadLetters()).toEqual([]);
}

/** Delivers the summary of a new session, and waits for its record. */
async function newRecord() {
  const sessionId = newSession();
  await stage.deliver(bodyOf(sessionId));
  await expect.poll(async () => (await stage.records()).get(sessionId)).toBeDefined();
  return { sessionId, record: (await stage.records()).get(sessionId) };
}

/** Lets the next write take effect, and its acknowledgement come to harm. */
function failNextWrite(fault: Fault): void {
  stage.faultOf = ({ operation }) => {
    if (operation !== 'PutItem') return undefined;
    stage.faultOf = () => undefined;
    return fault;
  };
}

it('a summary that is delivered ten times at once is one record', async () => {
  const several = await emulatedStage({ recorders: 3 });
  onTestFinished(() => several.stop());
  const sessionId = newSession();
  several.startRecorders();

  const answers = await Promise.all(Array.from({ length: 10 }, () => several.deliver(bodyOf(sessionId))));

  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
  const none = { recorded: 0, duplicates: 0 };
  await expectOneRecord(several, sessionId, none, { recorded: 1, duplicates: 9 });
});

it('a summary that is delivered again later, also in other words, leaves the record as it is', async () => {
  const before = countsOf(stage);
  const { sessionId, record } = await newRecord();

  await stage.deliver(bodyOf(sessionId));
  await stage.deliver(inOtherWords(sessionId));

  await expectOneRecord(stage, sessionId, before, { recorded: 1, duplicates: 2 });
  expect((await stage.records()).get(sessionId)).toEqual(record);
});

it('a dead letter that is sent back after its session was recorded changes nothing but when that was received', async () => {
  const before = countsOf(stage);
  const { sessionId, record } = await newRecord();
  const receivedAt = '2026-01-13T08:27:34.567Z';

  await stage.send(toMessage({ body: bodyOf(sessionId), receivedAt, requestId: randomUUID() }));

  await expectOneRecord(stage, sessionId, before, { recorded: 1, duplicates: 1 });
  expect((await stage.records()).get(sessionId)).toEqual({ ...record, receivedAt, revision: 2 });
});

it('a recorder that is killed between writing and deleting leaves a record that is found again', async () => {
  const before = countsOf(stage);
  failNextWrite('late');

  const { sessionId, record } = await newRecord();
  const isKilled = stage.killRecorder();

  expect(isKilled).toBe(true);
  await expectOneRecord(stage, sessionId, before, { recorded: 0, duplicates: 1 });
  expect((await stage.records()).get(sessionId)).toEqual(record);
});

it('a write that is made again, because its acknowledgement got lost, is one record', async () => {
  const before = countsOf(stage);
  failNextWrite('cut-after');

  const { sessionId } = await newRecord();

  await expectOneRecord(stage, sessionId, before, { recorded: 0, duplicates: 1 });
});
