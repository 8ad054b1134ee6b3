import { afterEach, beforeEach, expect, it } from 'vitest';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * The promise for every delivery: the other messages in its batch do not affect it. Lambda passes the recorder up to
 * ten messages at once. Each is recorded, retried or dead-lettered independently.
 *
 * What could break it: an error that fails the whole batch, a response that reports too many failures (valid messages
 * are retried until they are dead letters) or too few (invalid messages are deleted), and a bad message that is retried
 * forever.
 */

let stage: EmulatedStage;
beforeEach(async () => {
  stage = await emulatedStage();
});
afterEach(() => stage.stop());

const bodyOf = (sessionId: string, payload: object = {}) => summaryBody({ sessionId, ...payload });
/** Two of these exceed DynamoDB's limit of 400 KB per item. */
const halfOf = (sessionId: string, filler: string) => bodyOf(sessionId, { filler: filler.repeat(220_000) });

const recorded = async () => [...(await stage.records()).keys()].toSorted();
const reasons = async () => (await stage.deadLetters()).map(({ reason }) => reason ?? 'none').toSorted();

it('a batch with every kind of bad message has its other messages recorded once, and only failures are retried', async () => {
  for (const sessionId of ['good-1', 'good-2', 'fails-twice']) await stage.deliver(bodyOf(sessionId));
  for (const filler of ['a', 'b']) await stage.deliver(halfOf('too-large', filler));
  await stage.send({ MessageBody: 'not JSON' });
  await stage.send({ MessageBody: bodyOf('not-a-summary', { subAccountId: null }) });
  await stage.send({ MessageBody: '{"eventType":"CALL_ACTION"}' });
  await stage.send({ MessageBody: bodyOf('by-hand') });
  const sent = await stage.queued();
  let faults = 0;
  stage.faultOf = ({ body }) => (body.includes('"fails-twice"') && ++faults <= 2 ? 'refuse' : undefined);

  stage.startRecorders();

  await expect.poll(() => stage.queued()).toEqual([]);
  expect(await recorded()).toEqual(['by-hand', 'fails-twice', 'good-1', 'good-2', 'too-large']);
  expect((await stage.records()).get('by-hand')?.receivedAt).toBe(sent.at(-1)?.delivery.receivedAt);
  expect(await reasons()).toEqual([
    'invalid-json',
    'invalid-summary',
    'record-too-large',
    'unsupported-event',
  ]);
  await expect.poll(() => stage.count('SessionsRecorded')).toBe(5);
  expect(stage.count('RecordsFailed')).toBe(2);
  expect(stage.count('DuplicateDeliveries')).toBe(0);
  expect(stage.count('DeadLettered')).toBe(4);
});

it('a bad message that the recorder cannot dead-letter is retried alone until SQS moves it to the dead-letter queue', async () => {
  await stage.send({ MessageBody: 'poison' });
  await stage.deliver(bodyOf('good'));
  stage.faultOf = ({ operation }) => (operation === 'SendMessage' ? 'refuse' : undefined);

  stage.startRecorders();

  await expect.poll(() => stage.queued()).toEqual([]);
  expect(await recorded()).toEqual(['good']);
  expect(await stage.deadLetters()).toMatchObject([{ reason: undefined, delivery: { body: 'poison' } }]);
  expect(stage.count('DuplicateDeliveries')).toBe(0);
});
