import { afterAll, beforeAll, expect, it } from 'vitest';
import { toMessage } from '../../functions/queue/message.ts';
import { readSummary } from '../../functions/vss/summary.ts';
import { summaryBody } from '../functions/summaries.ts';
import { vssWebhook } from '../infra/commands/vss-webhook.ts';
import { type EmulatedStage, emulatedStage, type KeptMessage } from './emulated-stage.ts';

/**
 * The promise to the operator: a delivery that could not be recorded because of an error on our side (in settings, code
 * or permissions) is in the dead-letter queue. Once the error is fixed, `npx vss-webhook redrive send` records each of these
 * deliveries, with the original body and time of receipt. Messages that still fail return to the dead-letter queue. A
 * second redrive changes nothing.
 *
 * What could break it: a dead letter without the body or the time of the delivery, and a redrive that loses, alters or
 * duplicates messages, or that deletes a dead letter before the message is in the queue.
 */

let stage: EmulatedStage;
beforeAll(async () => {
  stage = await emulatedStage();
});
afterAll(() => stage.stop());

const NOT_CONFIGURED = 'not-configured-yet';
const bodyOf = (sessionId: string, payload: object = {}) => summaryBody({ sessionId, ...payload });

const isQueueEmpty = async () => (await stage.queued()).length === 0;
const bodiesOf = (letters: readonly KeptMessage[]) => new Set(letters.map(({ delivery }) => delivery.body));

async function redrive(): Promise<void> {
  const { code, stderr } = await vssWebhook([
    'redrive',
    'send',
    '--yes',
    '--stage',
    stage.name,
    '--rate',
    '1000',
  ]);
  expect([code, stderr]).toEqual([0, '']);
  await expect.poll(isQueueEmpty).toBe(true);
}

it('a redrive records each delivery that failed because of our error once, as it was first delivered', async () => {
  // Arrange: the table denies access, a sub-account is missing in the settings, and two bodies can never be recorded.
  const refused = ['refused-1', 'refused-2', 'refused-for-ever'].map((sessionId) => bodyOf(sessionId));
  const unknown = [
    bodyOf('unknown-1', { subAccountId: NOT_CONFIGURED, clientRequestId: '😀 \uFFFE' }),
    ` ${bodyOf('unknown-2', { subAccountId: NOT_CONFIGURED })}\r\n`,
  ];
  const hopeless = ['{', bodyOf('hopeless', { subAccountId: '' })];
  stage.faultOf = ({ operation }) => (operation === 'PutItem' ? 'refuse' : undefined);
  const delivered: [string, number][] = [];
  for (const body of [...refused, ...unknown, ...hopeless])
    delivered.push([body, (await stage.deliver(body)).statusCode]);
  stage.startRecorders();
  await expect.poll(isQueueEmpty).toBe(true);
  const letters = await stage.deadLetters();

  expect(new Map(delivered)).toEqual(
    new Map([
      ...refused.map((body) => [body, 200] as const),
      ...unknown.map((body) => [body, 422] as const),
      ['{', 400],
      [hopeless[1], 422],
    ]),
  );
  expect(bodiesOf(letters)).toEqual(new Set([...refused, ...unknown, ...hopeless]));
  expect((await stage.records()).size).toBe(0);

  // Act: fix everything but one delivery. Meanwhile, 8x8 delivers another session of the new sub-account.
  stage.configure(['8x8_test', NOT_CONFIGURED]);
  stage.faultOf = ({ operation, body }) =>
    operation === 'PutItem' && body.includes('refused-for-ever') ? 'refuse' : undefined;
  expect(await stage.deliver(bodyOf('unknown-3', { subAccountId: NOT_CONFIGURED }))).toMatchObject({
    statusCode: 200,
  });
  await redrive();

  // Assert: each record has the first time of receipt, and the messages that still fail are dead letters again.
  const records = await stage.records();
  expect([...records.keys()].toSorted()).toEqual([
    'refused-1',
    'refused-2',
    'unknown-1',
    'unknown-2',
    'unknown-3',
  ]);
  for (const { delivery } of letters) {
    const read = readSummary(delivery.body);
    const record = read.outcome === 'summary' ? records.get(read.summary.sessionId) : undefined;
    if (record) expect(record).toMatchObject({ receivedAt: delivery.receivedAt, revision: 1 });
  }
  expect(records.get('unknown-1')).toMatchObject({ clientRequestId: '😀 \uFFFE' });
  const remaining = await stage.deadLetters();
  expect(bodiesOf(remaining)).toEqual(new Set([bodyOf('refused-for-ever'), ...hopeless]));
  expect(remaining).toHaveLength(3);
  for (const { delivery } of remaining)
    expect(letters.map((letter) => letter.delivery)).toContainEqual(delivery);

  // Act: redrive again, while the queue also contains copies of all the messages.
  for (const { delivery } of letters) await stage.send(toMessage(delivery));
  await redrive();

  expect(await stage.records()).toEqual(records);
  expect(bodiesOf(await stage.deadLetters())).toEqual(bodiesOf(remaining));
});

it.each(['refuse', 'cut-before'] as const)(
  'a redrive fails and keeps the dead letter when its SendMessage fails (%s)',
  async (fault) => {
    stage.faultOf = () => undefined;
    await stage.deliver(`{ "${fault}"`);
    const before = await stage.deadLetters();
    stage.faultOf = ({ operation }) => (operation === 'SendMessage' ? fault : undefined);

    const { code } = await vssWebhook(['redrive', 'send', '--yes', '--stage', stage.name]);

    expect(code).toBe(1);
    expect(bodiesOf(before)).toContain(`{ "${fault}"`);
    expect(bodiesOf(await stage.deadLetters())).toEqual(bodiesOf(before));
    expect(await stage.deadLetters()).toHaveLength(before.length);
  },
);
