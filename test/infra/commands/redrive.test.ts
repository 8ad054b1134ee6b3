import { once } from 'node:events';
import { createServer } from 'node:http';
import { PurgeQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type DeadLetterReason, toMessage } from '../../../functions/queue/message.ts';
import { masked } from '../../../infra/commands/dead-letters/masked.ts';
import { prettyJson } from '../../../infra/commands/dead-letters/pretty-json.ts';
import type { BusEvent } from '../../../infra/local/event-bus.ts';
import { awaitRecords, deliver } from '../../../infra/local/examples.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import type { StreamRecord } from '../../../infra/local/table-streams.ts';
import { summaryBody } from '../../functions/summaries.ts';
import { queueDepth } from '../../queue-depth.ts';
import { startStack } from '../../start-stack.ts';
import { deployedStage, missingStage, urlOf } from './deployed-stage.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Runs `npx vss-webhook redrive` on a running local stack. */

let stack: LocalStack;
let stage: string;
const published: BusEvent[] = [];
beforeAll(async () => {
  stack = await startStack({ onEvent: (event) => published.push(event) });
  stage = `local:${new URL(stack.webhookUrl).port}`;
});
afterAll(() => stack.stop());
beforeEach(() => stack.sqs.send(new PurgeQueueCommand({ QueueUrl: stack.deadLetterQueueUrl })));

const redrive = (...args: string[]) => vssWebhook(['redrive', '--stage', stage, ...args]);

let letters = 0;

async function deadLetter(
  body: string | Uint8Array,
  reason?: DeadLetterReason,
  minutesAgo = 0,
): Promise<string> {
  const receivedAt = new Date(Date.now() - minutesAgo * 60_000).toISOString();
  const { MessageId = '' } = await stack.sqs.send(
    new SendMessageCommand({
      QueueUrl: stack.deadLetterQueueUrl,
      ...toMessage({ body, receivedAt, requestId: `request-${++letters}` }, reason),
    }),
  );
  return MessageId;
}

const lettersLeft = () => queueDepth(stack.sqs, stack.deadLetterQueueUrl);

let sessions = 0;
const newSession = () => `redrive-${++sessions}`;

describe('redrive list', () => {
  it('lists messages by reason with age and session, and leaves all of them visible', async () => {
    const [a, b, c] = [newSession(), newSession(), newSession()];
    const ids = [
      await deadLetter(summaryBody({ sessionId: a }), { reason: 'unknown-subaccount' }, 3),
      await deadLetter(summaryBody({ sessionId: b }), { reason: 'unknown-subaccount' }, 200),
      await deadLetter(summaryBody({ sessionId: c }), undefined, 60 * 50),
      await deadLetter('{', { reason: 'invalid-json' }),
      await deadLetter(summaryBody({ sessionId: '+6591178965' }), { reason: 'record-too-large' }, 1),
    ];

    const { stdout } = await redrive();

    expect(stdout).toContain(`unknown-subaccount: 2\n  ${ids[0]}    3m  ${a}\n  ${ids[1]}    3h  ${b}\n`);
    expect(stdout).toContain(`tried-too-often: 1\n  ${ids[2]}    2d  ${c}\n`);
    expect(stdout).toMatch(/invalid-json: 1\n {2}\S+ +\d+s {2}\(no session id\)\n/);
    expect(stdout).toContain('+********65');
    expect(stdout).not.toContain('6591178965');
    const again = (await redrive('list')).stdout;
    for (const id of ids) expect(again).toContain(id);
  });

  it('reports an empty queue', async () => {
    expect((await redrive()).stdout).toMatch(
      /^vss-webhook-local, on this machine, port \d+\n\nThe dead-letter queue is empty\.\n$/,
    );
  });
});

describe('redrive show', () => {
  it('prints a message with its reason, and masks phone numbers unless --unmasked is given', async () => {
    const issues = [{ path: 'payload.endTime', message: 'expected a time' }];
    const body = summaryBody({ sessionId: newSession(), details: { callA: { source: '+6591178965' } } });
    const id = await deadLetter(body, { reason: 'invalid-summary', issues });

    const shown = await redrive('show', id);

    expect(shown.stdout).toContain(`reason      invalid-summary\nissues      ${JSON.stringify(issues)}\n`);
    expect(shown.stdout).toContain(masked(prettyJson(body)));
    expect(shown.stdout).toContain('\n        "source": "+********65"');
    expect(shown.stdout).not.toContain('6591178965');
    expect((await redrive('show', id, '--unmasked')).stdout).toContain(prettyJson(body));
  });

  it('shows a body that is not UTF-8 as Latin-1, with phone numbers masked', async () => {
    const id = await deadLetter(Buffer.from('{"name":"J\u00fcrgen","to":"+6591178965"}', 'latin1'));

    const { stdout } = await redrive('show', id);

    expect(stdout).toContain('not UTF-8, shown as Latin-1');
    expect(stdout).toContain('{\n  "name": "J\u00fcrgen",\n  "to": "+********65"\n}');
    expect((await redrive('show', id, '--unmasked')).stdout).toContain('"to": "+6591178965"');
  });

  it('escapes terminal control characters in bodies and reasons', async () => {
    const id = await deadLetter(JSON.stringify({ payload: { sessionId: '\u001b[2J\nforged' } }));
    const hidden = await deadLetter('{', { reason: 'a\nforged\u{e0001}' });
    const garbage = await deadLetter('\u001b[2J\tnot JSON\n');

    expect((await redrive('show', garbage)).stdout).toContain('\n\\u001b[2J\tnot JSON\n');
    const { stdout } = await redrive();
    expect(stdout).toMatch(new RegExp(`${id} +\\d+s  \\\\u001b\\[2J\\\\u000aforged\n`));
    expect(stdout).toContain('a\\u000aforged\\udb40\\udc01');
    expect((await redrive('show', hidden)).stdout).not.toContain('\nforged');
  });

  it('leaves every message visible to the next command', async () => {
    const ids = [await deadLetter('{'), await deadLetter('['), await deadLetter('"')];

    await redrive('show', ids[0] ?? '');

    const listed = (await redrive()).stdout;
    for (const id of ids) expect(listed).toContain(id);
  });

  it('fails for an unknown message id', async () => {
    expect(await redrive('show', 'none')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Message none is not in the dead-letter queue'),
    });
  });
});

describe('redrive send', () => {
  it('sends back only the messages with the given reason', async () => {
    const [sessionId, other] = [newSession(), newSession()];
    await deadLetter(summaryBody({ sessionId, clientRequestId: '😀' }), { reason: 'unknown-subaccount' });
    await deadLetter(summaryBody({ sessionId: other }), { reason: 'record-too-large' });

    const { stdout } = await redrive('send', '--yes', '--reason', 'unknown-subaccount');

    expect(stdout).toContain('1 sent back, 1 left in the dead-letter queue.');
    expect(await awaitRecords(stack, [sessionId])).toMatchObject([{ sessionId, clientRequestId: '😀' }]);
    const left = (await redrive()).stdout;
    expect(left).toContain(other);
    expect(left).not.toContain(sessionId);
  });

  it('sends each message once, even if it fails again', async () => {
    await deadLetter('{', { reason: 'invalid-json' });

    const { stdout } = await redrive('send', '--yes');

    expect(stdout.match(/^sent /gm)).toHaveLength(1);
    expect(stdout).toMatch(/^1 sent back, [01] left in the dead-letter queue\.$/m);
  });

  it('sends at most as many messages per second as --rate', async () => {
    for (let n = 0; n < 3; n++) await deadLetter('{', { reason: 'invalid-json' });
    const startedAt = performance.now();
    const sentAt: number[] = [];

    await vssWebhook(['redrive', 'send', '--yes', '--rate', '1', '--stage', stage], {
      onOutput(text) {
        if (text.startsWith('sent ')) sentAt.push(performance.now() - startedAt);
      },
    });

    // It sends the first one immediately.
    expect(sentAt).toHaveLength(3);
    expect(sentAt[2]).toBeGreaterThan(1_900);
  });

  it('shows what would be sent with --dry-run, and sends nothing', async () => {
    const sessionId = newSession();
    const id = await deadLetter(summaryBody({ sessionId }), { reason: 'unknown-subaccount' });

    const { stdout } = await redrive('send', '--dry-run');

    expect(stdout).toContain(`unknown-subaccount: 1\n  ${id}`);
    expect(stdout).toContain(
      '1 to send, 0 to keep in the dead-letter queue.\nNothing was sent (--dry-run).\n',
    );
    expect((await redrive()).stdout).toContain(sessionId);
  });

  it('only shows what it would send if there is neither a terminal nor --yes', async () => {
    const id = await deadLetter(summaryBody({ sessionId: newSession() }), { reason: 'invalid-json' });

    const all = await redrive('send');
    const one = await redrive('send', id);

    for (const { stdout, stderr, code } of [all, one]) {
      expect(stdout).toContain(id);
      expect(stderr).toBe(
        'Nothing was changed: confirmation needs a terminal. Add --yes to skip the confirmation.\n',
      );
      expect(code).toBe(2);
    }
    expect(await lettersLeft()).toBe(1);
  });

  it('sends back one message by its id', async () => {
    const sessionId = newSession();
    const id = await deadLetter(summaryBody({ sessionId }), { reason: 'unknown-subaccount' });
    await deadLetter(summaryBody({ sessionId: newSession() }), { reason: 'unknown-subaccount' });

    const { stdout } = await redrive('send', id, '--yes');

    expect(stdout).toMatch(new RegExp(`^sent {2}${id} `, 'm'));
    expect(await awaitRecords(stack, [sessionId])).toMatchObject([{ sessionId }]);
    expect(await lettersLeft()).toBe(1);
  });

  it.each([['--yes'], ['--dry-run']])('rejects a reason that no message has (%s)', async (option) => {
    await deadLetter('{', { reason: 'invalid-json' });
    await deadLetter('{');

    expect(await redrive('send', '--reason', 'bogus', option)).toMatchObject({
      code: 2,
      stderr: 'No message has the reason "bogus". Existing reasons: invalid-json, tried-too-often\n',
    });
    expect(await lettersLeft()).toBe(2);
  });
});

describe('redrive delete', () => {
  it('deletes only the given message', async () => {
    const id = await deadLetter(summaryBody({ sessionId: newSession() }), { reason: 'invalid-json' });
    await deadLetter(summaryBody({ sessionId: newSession() }), { reason: 'invalid-json' });

    expect((await redrive('delete', id)).code).toBe(2);
    expect(await lettersLeft()).toBe(2);
    const { stdout, code } = await redrive('delete', id, '--yes');

    expect(stdout).toMatch(new RegExp(`^deleted  ${id} `, 'm'));
    expect(code).toBe(0);
    expect(await lettersLeft()).toBe(1);
    expect(await redrive('delete', id, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Message ${id} is not in the dead-letter queue`),
    });
  });
});

describe('redrive of a deployed stage', () => {
  it('finds the queues in the outputs of the stack', async () => {
    const sessionId = newSession();
    await deadLetter(summaryBody({ sessionId }), { reason: 'unknown-subaccount' });
    await using deployed = await deployedStage(stack);

    expect((await redriveDeployed(deployed.environment)).stdout).toContain(sessionId);
  });

  it('reports a missing stack with the region and credentials to check', async () => {
    await using missing = await missingStage();

    expect(await redriveDeployed(missing.environment)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^The stack vss-webhook-prod does not exist in us-east-1, using the access key in the environment\. /,
      ),
    });
  });

  const redriveDeployed = (environment: NodeJS.ProcessEnv) =>
    vssWebhook(['redrive', '--stage', 'prod'], { env: environment });
});

const Detail = v.object({ sessionId: v.string() });

describe('redrive events', () => {
  let url = '';
  beforeAll(() => {
    url = stack.outputs.SessionEventsDeadLetterQueueUrl ?? '';
  });
  beforeEach(() => stack.sqs.send(new PurgeQueueCommand({ QueueUrl: url })));

  const redriveEvents = (...args: string[]) => redrive('events', ...args);
  const left = () => queueDepth(stack.sqs, url);

  /** The published events of a session, without what differs when they are published again. */
  const eventsOf = (sessionId: string) =>
    published
      .filter(({ detail }) => v.parse(Detail, detail).sessionId === sessionId)
      .map(({ id: _, time: __, ...event }) => event);

  /** Sends to the queue what the pipe sends when it gives up a change. */
  async function giveUp(changes: readonly StreamRecord[], streamArn?: string): Promise<void> {
    for (const { dynamodb, eventSourceARN } of changes) {
      const batch = {
        shardId: 'shardId-00000000000000000001-00000001',
        startSequenceNumber: dynamodb.SequenceNumber,
        endSequenceNumber: dynamodb.SequenceNumber,
        approximateArrivalOfFirstRecord: new Date(Date.now() - 30 * 3_600_000).toISOString(),
        batchSize: 1,
        streamArn: streamArn ?? eventSourceARN,
      };
      await stack.sqs.send(
        new SendMessageCommand({
          QueueUrl: url,
          MessageBody: JSON.stringify({ version: '1.0', DDBStreamBatchInfo: batch }),
        }),
      );
    }
  }

  /** Records two summaries of a session. Returns the changes. */
  async function changesOf(sessionId: string): Promise<StreamRecord[]> {
    for (const second of [10, 20]) {
      await deliver(stack, summaryBody({ sessionId, endTime: `2026-01-13T08:27:${second}Z` }));
      await expect.poll(() => queueDepth(stack.sqs, stack.queueUrl)).toBe(0);
    }
    await stack.eventsPublished();
    return stack.changes().filter(({ dynamodb }) => dynamodb.Keys['sessionId']?.['S'] === sessionId);
  }

  it('publishes the events that the pipe has given up again, in order', async () => {
    const changes = await changesOf('given-up');
    const before = eventsOf('given-up');
    published.length = 0;
    await giveUp(changes.toReversed());

    const { stdout, code } = await redriveEvents('--yes');

    expect(stdout).toContain(
      'publish  Session Recorded  given-up\npublish  Session Changed  given-up\n\n2 to publish, 0 to skip.\n2 of 2 published.\n',
    );
    expect(code).toBe(0);
    expect(before).toHaveLength(2);
    expect(eventsOf('given-up')).toEqual(before);
    expect(await left()).toBe(0);
  });

  it('keeps what the stream no longer has, and what is not from the pipe, and says so', async () => {
    await giveUp((await changesOf('gone')).slice(0, 1), 'arn:aws:dynamodb:us-east-1:0:table/other/stream/1');
    const [change] = stack.changes();
    if (!change) throw new Error('There is no change');
    const dynamodb = { ...change.dynamodb, SequenceNumber: 'not a number' };
    await giveUp([{ ...change, dynamodb }]);
    await stack.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'something else' }));
    published.length = 0;

    const { stdout, code } = await redriveEvents('--yes');

    expect(stdout).toMatch(
      /^skip {5}a change of \d{4}-\d\d-\d\dT\S+Z, 1d ago, which the stream no longer has, or which has no event$/m,
    );
    expect(stdout).toMatch(/^skip {5}message \S+, which is not from the pipe$/m);
    expect(stdout).toContain('0 to publish, 3 to skip.\nThe stream keeps a change for 24 hours: ');
    expect(code).toBe(0);
    expect(published).toEqual([]);
    expect(await left()).toBe(3);

    expect((await redriveEvents('--discard', '--dry-run')).stdout).toContain('0 to publish, 3 to delete.\n');
    expect(await left()).toBe(3);
    expect((await redriveEvents('--discard', '--yes')).code).toBe(0);
    expect(await left()).toBe(0);
  });

  it('keeps the message of a change that the stream has trimmed, or that is not at its position', async () => {
    const [change] = await changesOf('trimmed');
    if (!change) throw new Error('There is no change');
    const dynamodb = { ...change.dynamodb, SequenceNumber: '9'.repeat(21) };
    await giveUp([{ ...change, dynamodb }]);
    expect((await redriveEvents('--yes')).stdout).toContain('0 to publish, 1 to skip.\n');

    const streams = createServer((_, response) =>
      response
        .writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' })
        .end(JSON.stringify({ __type: 'TrimmedDataAccessException', message: 'trimmed' })),
    ).listen(0, '127.0.0.1');
    await once(streams, 'listening');
    onTestFinished(() => void streams.close());
    await using prod = await deployedStage(stack, { AWS_ENDPOINT_URL_DYNAMODB_STREAMS: urlOf(streams) });
    const { stdout } = await vssWebhook(['redrive', 'events', '--yes', '--stage', 'prod'], {
      env: prod.environment,
    });

    expect(stdout).toContain('0 to publish, 1 to skip.\n');
    expect(await left()).toBe(1);
  });

  it('publishes nothing with --dry-run or without confirmation', async () => {
    await giveUp((await changesOf('dry-run')).slice(0, 1));
    published.length = 0;

    expect((await redriveEvents('--dry-run')).stdout).toContain(
      '1 to publish, 0 to skip.\nNothing was changed (--dry-run).\n',
    );
    expect(await redriveEvents()).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(published).toEqual([]);
    expect(await left()).toBe(1);
  });

  it('keeps the message of an event that the bus does not accept', async () => {
    await giveUp((await changesOf('refused')).slice(0, 1));
    await using prod = await deployedStage(stack, {
      AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:1',
    });

    const { stdout, stderr, code } = await vssWebhook(['redrive', 'events', '--yes', '--stage', 'prod'], {
      env: prod.environment,
    });

    expect(stdout).toContain('0 of 1 published.\n');
    expect(stderr).toContain('ECONNREFUSED');
    expect(code).toBe(1);
    expect(await left()).toBe(1);
  });

  it('reports that there are none, and rejects a stage without session events', async () => {
    expect((await redriveEvents()).stdout).toContain('The pipe has given up no events.\n');
    const outputs = { ...stack.outputs, EventBusArn: undefined };
    await using prod = await deployedStage({ ...stack, outputs });
    const rejected = await vssWebhook(['redrive', 'events', '--stage', 'prod'], {
      env: prod.environment,
    });
    expect(rejected).toMatchObject({
      code: 2,
      stderr: 'The stage prod publishes no session events: see the setting sessionEvents.\n',
    });
  });
});

describe('the command line of redrive', () => {
  it.each([
    [['frobnicate'], 'Unknown command "frobnicate". See: npx vss-webhook redrive --help'],
    [['show'], 'show needs the id of a message'],
    [['list', 'x'], 'list takes no message id'],
    [['send', 'x', 'y'], 'send takes only one message id'],
    [['send', '--rate', '0'], 'Invalid --rate "0": expected a number greater than 0'],
    [['--reason'], "Option '--reason' needs a value. See:"],
    [['send', '--rate', '-1'], "'--rate' needs a value; write one that starts with a hyphen as --rate=VALUE"],
    [['delete', 'x', '--reason', 'invalid-json'], '--reason needs the command send, without an id'],
    [['--discard'], '--discard needs the command events'],
    [['--dry-run'], '--dry-run and --yes need the command send, delete or events'],
    [
      ['--stage', 'local:1'],
      'No local stack is running on port 1. Local stacks on this machine: --stage local',
    ],
  ])('rejects %j with one line', async (args, message) => {
    const { stderr, code } = await redrive(...args);

    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
