import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitRecords, deliver, examples } from '../infra/local/examples.ts';
import { type LocalStack, startLocalStack } from '../infra/local/local-stack.ts';
import { summaryBody } from './functions/summaries.ts';
import { run } from './infra/run.ts';

/**
 * From 8x8's HTTP request to the stored record, by the template and the bundles that are deployed. What a promise
 * needs of the parts is tested with the parts; here is what only the whole can show.
 */

let stack: LocalStack;
const logged: string[] = [];
beforeAll(async () => {
  stack = await startLocalStack({
    port: 0,
    log: (line) => logged.push(line),
    settings: { retentionDays: 30 },
  });
});
afterAll(() => stack.stop());

let sessions = 0;
const newSession = () => `end-to-end-${++sessions}`;

async function recordOf(sessionId: string) {
  const [record] = await awaitRecords(stack, [sessionId]);
  return record;
}

/** The first message in the dead-letter queue that satisfies the condition; it stays there. */
async function deadLetter(condition: (body: string) => boolean) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await setTimeout(50)) {
    const { Messages = [] } = await stack.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: stack.deadLetterQueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 0,
        MessageAttributeNames: ['All'],
      }),
    );
    const found = Messages.find(({ Body }) => Body !== undefined && condition(Body));
    if (found) return found;
  }
  return undefined;
}

async function isQueueEmpty(): Promise<boolean> {
  const { Attributes = {} } = await stack.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: stack.queueUrl, AttributeNames: ['All'] }),
  );
  return (
    Number(Attributes['ApproximateNumberOfMessages']) +
      Number(Attributes['ApproximateNumberOfMessagesNotVisible']) ===
    0
  );
}

describe('the deployment', () => {
  it('has registered the webhook of each sub-account at 8x8, with the header that the webhook accepts', () => {
    const { WebhookUrl, SubAccountIds } = stack.outputs;
    const registered = [{ type: 'VSS', url: WebhookUrl, enabled: true, httpAuthHeader: stack.authorization }];

    expect(stack.authorization).toMatch(/^[A-Za-z0-9]{43}$/);
    expect(Object.fromEntries(stack.voiceApi.webhooks)).toEqual(
      Object.fromEntries(SubAccountIds.split(',').map((subAccountId) => [subAccountId, registered])),
    );
  });

  it('is checked as soon as it is done', async () => {
    await expect
      .poll(() => logged.filter((line) => line.includes('WebhookRegistered')), { timeout: 20_000 })
      .toEqual([expect.stringContaining('"service":"vss-webhook-local","WebhookRegistered":[1,1]')]);
  });
});

describe('a delivery', () => {
  it('of each published example becomes a record', async () => {
    for (const { body } of examples) expect((await deliver(stack, body)).status).toBe(200);

    const records = await awaitRecords(
      stack,
      examples.map(({ sessionId }) => sessionId),
    );

    const legs = Object.fromEntries(
      records.map(({ sessionId, legs }) => [sessionId, legs.map(({ leg }) => leg)]),
    );
    expect(legs).toEqual(
      Object.fromEntries(
        examples.map(({ sessionId, body }) => [
          sessionId,
          Object.keys(JSON.parse(body).payload.details)
            .map((key) => key.replace(/^C/, 'c'))
            .sort(),
        ]),
      ),
    );
  });

  it('is kept for as long as the settings say', async () => {
    const sessionId = newSession();
    await deliver(stack, summaryBody({ sessionId }));
    const days = 86_400;

    const expiresAt = Number((await recordOf(sessionId))?.['expiresAt']);
    const inThirtyDays = Date.now() / 1_000 + 30 * days;
    expect(Math.abs(expiresAt - inThirtyDays)).toBeLessThan(days);
  });

  it('that comes ten times at once is one record', async () => {
    const sessionId = newSession();
    const body = summaryBody({ sessionId });

    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(stack, body)));

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    await expect.poll(isQueueEmpty, { timeout: 20_000 }).toBe(true);
    expect(await recordOf(sessionId)).toMatchObject({ sessionId, revision: 1 });
  });

  it('with another summary of its session at once is kept beside it, whichever comes first', async () => {
    const sessionId = newSession();
    const endTimes = ['2026-01-13T08:27:33Z', '2026-01-13T08:27:35Z', '2026-01-13T08:27:34Z'];

    await Promise.all(endTimes.map((endTime) => deliver(stack, summaryBody({ sessionId, endTime }))));

    await expect
      .poll(() => recordOf(sessionId), { timeout: 20_000 })
      .toMatchObject({
        endTime: '2026-01-13T08:27:35.000Z',
        alternates: [{ endTime: '2026-01-13T08:27:34.000Z' }, { endTime: '2026-01-13T08:27:33.000Z' }],
        revision: 3,
      });
  });

  it('with characters that SQS does not carry is recorded all the same', async () => {
    const sessionId = newSession();

    const { status } = await deliver(stack, summaryBody({ sessionId, clientRequestId: 'order 😀 \uFFFE' }));

    expect(status).toBe(200);
    expect(await recordOf(sessionId)).toMatchObject({ clientRequestId: 'order 😀 \uFFFE' });
  });

  it('that is no summary is kept in the dead-letter queue, byte for byte', async () => {
    const body = '{"eventType": "SESSION_SUMMARY",  "payload": {"sessionId": "odd"}}';

    const response = await deliver(stack, body);

    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await deadLetter((kept) => kept === body)).toMatchObject({
      MessageAttributes: { reason: { StringValue: 'invalid-summary' } },
    });
  });

  it('that is not UTF-8 is kept as the bytes it was', async () => {
    const bytes = new Uint8Array([0x7b, 0xc3, 0x28, 0x7d]);

    const response = await fetch(stack.webhookUrl, {
      method: 'POST',
      headers: { Authorization: stack.authorization },
      body: bytes,
    });

    expect(response.status).toBe(400);
    expect(await deadLetter((kept) => kept === Buffer.from(bytes).toString('base64'))).toMatchObject({
      MessageAttributes: { encoding: { StringValue: 'base64' } },
    });
  });

  it('without the Authorization value is refused', async () => {
    const response = await fetch(stack.webhookUrl, { method: 'POST', body: summaryBody() });

    expect(response.status).toBe(401);
  });
});

describe('a message in the queue', () => {
  it('that can never be recorded harms no other, and is a dead letter at once', async () => {
    const sessionId = newSession();
    const send = (MessageBody: string) =>
      stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, MessageBody }));

    await Promise.all([send('poison'), send(summaryBody({ sessionId }))]);

    expect(await recordOf(sessionId)).toMatchObject({ sessionId });
    expect(await deadLetter((kept) => kept === 'poison')).toMatchObject({
      MessageAttributes: { reason: { StringValue: 'invalid-json' } },
    });
    await expect.poll(isQueueEmpty, { timeout: 20_000 }).toBe(true);
  });
});

describe('the URL', () => {
  it('has one method on one path; API Gateway answers the rest itself, in the same format', async () => {
    const { origin } = new URL(stack.webhookUrl);

    for (const response of [
      await fetch(stack.webhookUrl),
      await fetch(`${origin}/local/other`, { method: 'POST' }),
    ]) {
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(await response.json()).toMatchObject({
        type: 'urn:problem:vss-webhook:not-found',
        status: 404,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    }
  });

  it('takes up to 10 MB before API Gateway refuses', async () => {
    const response = await deliver(stack, 'x'.repeat(10 * 1024 * 1024 + 1));

    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ type: 'urn:problem:vss-webhook:payload-too-large' });
  });
});

it('logs one line for an accepted delivery, which says whose it was', async () => {
  const sessionId = newSession();

  await deliver(stack, summaryBody({ sessionId }));
  await recordOf(sessionId);
  await expect.poll(isQueueEmpty, { timeout: 20_000 }).toBe(true);

  const lines = logged.filter((line) => line.includes(sessionId));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"DeliveriesAccepted":1');
});

describe('an analyst', () => {
  it('queries what was delivered, from an export of the table', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-end-to-end-'));
    try {
      for (const { body, subAccountId } of examples) await deliver(stack, body, subAccountId);
      const expected = await awaitRecords(
        stack,
        examples.map(({ sessionId }) => sessionId),
      );
      const stage = `local:${new URL(stack.webhookUrl).port}`;
      const exported = await run(['infra/analytics/export.ts', '--stage', stage, '--out', folder]);
      const ids = examples.map(({ sessionId }) => `'${sessionId}'`).join();
      const sql = `SELECT session_id, session_status, leg_count FROM sessions WHERE session_id IN (${ids})`;
      const queried = await run(['infra/analytics/query.ts', folder, sql, '--format', 'json']);

      expect(exported).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ records exported to /) });
      expect(queried).toMatchObject({ code: 0, stderr: '' });
      expect(new Set(JSON.parse(queried.stdout))).toEqual(
        new Set(
          expected.map(({ sessionId, sessionStatus, legs }) => ({
            session_id: sessionId,
            session_status: sessionStatus,
            leg_count: legs.length,
          })),
        ),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is told what to do about an export of a deployed stage, or of a stack that does not run', async () => {
    expect(await run(['infra/analytics/export.ts', '--stage', 'prod'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"prod" is not on this machine'),
    });
    expect(await run(['infra/analytics/export.ts', '--stage', 'local:1'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^No local stack runs on port 1\. Start it with npm start/),
    });
  });
});
