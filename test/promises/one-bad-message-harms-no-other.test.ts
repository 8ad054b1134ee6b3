import { afterEach, beforeEach, expect, it } from 'vitest';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * Promised to every delivery: what else is in its batch is no matter of its own. Lambda hands the recorder up to ten
 * messages at once; each is recorded, tried again or a dead letter by itself.
 *
 * It would be broken by an error that ends the whole batch, by an answer that reports too much as failed, so that good
 * messages are tried until they are dead letters, or too little, so that bad ones are deleted; and by a bad message
 * that is tried for ever.
 */

let stage: EmulatedStage;
beforeEach(async () => {
  stage = await emulatedStage();
});
afterEach(() => stage.stop());

const bodyOf = (sessionId: string, payload: object = {}) => summaryBody({ sessionId, ...payload });
/** Two of them are more than the 400 KB that DynamoDB takes. */
const halfOf = (sessionId: string, filler: string) => bodyOf(sessionId, { filler: filler.repeat(220_000) });

const recorded = async () => [...(await stage.records()).keys()].toSorted();
const reasons = async () => (await stage.deadLetters()).map(({ reason }) => reason ?? 'none').toSorted();

it('of a batch with bad messages of each kind, the others are recorded once, and only what fails is tried again', async () => {
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

it('a bad message that even the dead-letter queue does not take stays alone in the queue, which gives it up by itself', async () => {
  await stage.send({ MessageBody: 'poison' });
  await stage.deliver(bodyOf('good'));
  stage.faultOf = ({ operation }) => (operation === 'SendMessage' ? 'refuse' : undefined);

  stage.startRecorders();

  await expect.poll(() => stage.queued()).toEqual([]);
  expect(await recorded()).toEqual(['good']);
  expect(await stage.deadLetters()).toMatchObject([{ reason: undefined, delivery: { body: 'poison' } }]);
  expect(stage.count('DuplicateDeliveries')).toBe(0);
});
