import { afterAll, beforeAll, expect, it } from 'vitest';
import { toMessage } from '../../functions/queue/message.ts';
import { readSummary } from '../../functions/vss/summary.ts';
import { summaryBody } from '../functions/summaries.ts';
import { run } from '../infra/run.ts';
import { type EmulatedStage, emulatedStage, type KeptMessage } from './emulated-stage.ts';

/**
 * Promised to the operator: what could not be recorded because of a fault of ours, in settings, code or permissions, is
 * in the dead-letter queue; once the fault is fixed, `npm run redrive -- send` brings each into the table, as it was
 * first delivered and with when it was received; what still fails comes back to the dead-letter queue; and a second
 * redrive changes nothing.
 *
 * It would be broken by a dead letter without the body or the time of the delivery, by a redrive that loses, alters or
 * sends twice, and by one that takes a letter out before it is in the queue.
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
  const { code, stderr } = await run([
    'infra/commands/redrive.ts',
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

it('what failed because of a fault of ours is recorded after the fix, as it was first delivered, and once', async () => {
  // Arrange: the table refuses, a sub-account is missing in the settings, and some can never be recorded.
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

  // Act: the fix, for all but one; 8x8 delivers again by itself, too.
  stage.configure(['8x8_test', NOT_CONFIGURED]);
  stage.faultOf = ({ operation, body }) =>
    operation === 'PutItem' && body.includes('refused-for-ever') ? 'refuse' : undefined;
  expect(await stage.deliver(bodyOf('unknown-3', { subAccountId: NOT_CONFIGURED }))).toMatchObject({
    statusCode: 200,
  });
  await redrive();

  // Assert: each is recorded with when it was first received, and what still fails is where it was.
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
  const stillThere = await stage.deadLetters();
  expect(bodiesOf(stillThere)).toEqual(new Set([bodyOf('refused-for-ever'), ...hopeless]));
  expect(stillThere).toHaveLength(3);
  for (const { delivery } of stillThere)
    expect(letters.map((letter) => letter.delivery)).toContainEqual(delivery);

  // Act: once more, and with all that was sent back before.
  for (const { delivery } of letters) await stage.send(toMessage(delivery));
  await redrive();

  expect(await stage.records()).toEqual(records);
  expect(bodiesOf(await stage.deadLetters())).toEqual(bodiesOf(stillThere));
});

it.each(['refuse', 'cut-before'] as const)(
  'what does not arrive in the queue (%s) stays a dead letter, and the redrive says that it failed',
  async (fault) => {
    stage.faultOf = () => undefined;
    await stage.deliver(`{ "${fault}"`);
    const before = await stage.deadLetters();
    stage.faultOf = ({ operation }) => (operation === 'SendMessage' ? fault : undefined);

    const { code } = await run(['infra/commands/redrive.ts', 'send', '--yes', '--stage', stage.name]);

    expect(code).toBe(1);
    expect(bodiesOf(before)).toContain(`{ "${fault}"`);
    expect(bodiesOf(await stage.deadLetters())).toEqual(bodiesOf(before));
    expect(await stage.deadLetters()).toHaveLength(before.length);
  },
);
