import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { PurgeQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { toMessage } from '../../../functions/queue/message.ts';
import { queueDepth } from '../../../functions/queue/queue-depth.ts';
import { readRecords } from '../../../infra/local/examples.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import { summaryBody } from '../../functions/summaries.ts';
import { startStack } from '../../start-stack.ts';
import { root, run } from '../run.ts';

/**
 * What only a process shows: the exit code, signals, a closed pipe, and that npx finds the command. All other tests run
 * commands in their own process.
 */

let stack: LocalStack;
let stage: string;
beforeAll(async () => {
  stack = await startStack();
  stage = `local:${new URL(stack.webhookUrl).port}`;
});
afterAll(() => stack.stop());

const COUNT = 12;
let sessionIds: string[] = [];
let round = 0;
beforeEach(async () => {
  await stack.sqs.send(new PurgeQueueCommand({ QueueUrl: stack.deadLetterQueueUrl }));
  round++;
  sessionIds = Array.from({ length: COUNT }, (_, n) => `session-${round}-${n}`);
  for (const sessionId of sessionIds) {
    const delivery = {
      body: summaryBody({ sessionId }),
      receivedAt: new Date().toISOString(),
      requestId: sessionId,
    };
    await stack.sqs.send(
      new SendMessageCommand({ QueueUrl: stack.deadLetterQueueUrl, ...toMessage(delivery) }),
    );
  }
});

const redrive = (...args: string[]) => ['infra/vss-webhook.js', 'redrive', '--stage', stage, ...args];

/** Starts to send all dead letters back, five per second. Returns once the first has been sent. */
async function startToSend() {
  const child = spawn(process.execPath, redrive('send', '--yes', '--rate', '5'), { cwd: root });
  for await (const printed of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false }))
    if (/^sent /m.test(printed)) break;
  return child;
}

const exitOf = async (child: ChildProcess) => (await once(child, 'exit'))[0];

/** Every session is either recorded or still a dead letter, and there are some of both. */
async function expectNothingLost(): Promise<void> {
  const { visible, hidden } = await queueDepth(stack.sqs, stack.deadLetterQueueUrl);
  const left = visible + hidden;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(COUNT);
  const recorded = async () =>
    (await readRecords(stack)).filter(({ sessionId }) => sessionIds.includes(sessionId)).length;
  await expect.poll(recorded).toBeGreaterThanOrEqual(COUNT - left);
}

it('loses no message when redrive is killed', async () => {
  const child = await startToSend();
  child.kill('SIGKILL');
  await exitOf(child);

  await expectNothingLost();
});

it('ends with exit code 130 after Ctrl-C, and makes the messages that are left visible again', async () => {
  const child = await startToSend();
  child.kill('SIGINT');

  expect(await exitOf(child)).toBe(130);
  expect((await queueDepth(stack.sqs, stack.deadLetterQueueUrl)).hidden).toBe(0);
  await expectNothingLost();
});

it('stops without an error message when its output is closed, and makes the messages that are left visible again', async () => {
  const child = await startToSend();
  child.stdout.destroy();
  const [stderr] = await Promise.all([text(child.stderr), exitOf(child)]);

  expect(stderr).toBe('');
  expect((await queueDepth(stack.sqs, stack.deadLetterQueueUrl)).hidden).toBe(0);
  await expectNothingLost();
});

it.each([
  [0, ['list']],
  [1, ['show', 'no-such-message']],
])('exits with %i after redrive %j', async (code, args) => {
  expect((await run(redrive(...args))).code).toBe(code);
});

it('runs by npx, from any folder of the checkout, without taking an option away, and exits with 2 for a usage error', async () => {
  const npx = promisify(execFile)('npx', ['--no', 'vss-webhook', 'report', 'exports', '--to', 'tomorrow'], {
    cwd: join(root, 'test/infra'),
  });

  await expect(npx).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Invalid --to "tomorrow": expected a day such as 2026-11-01'),
  });
});
