import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { awaitRecords, deliver } from '../../infra/local/examples.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { API_KEY } from '../../infra/local/services.ts';
import { type FaultProxy, faultProxy } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { vssWebhook } from '../infra/commands/vss-webhook.ts';
import { startStack } from '../start-stack.ts';

/**
 * The promise to the people who were called: no log line of any function contains a phone number, 8x8's text about a
 * call, an unrecognised field, a body, a header or a key, whether a delivery is accepted or rejected, recorded or not.
 *
 * What could break it: a log line with the event or the message (as text, or in base64 as API Gateway passes it), a
 * library error that quotes its input, and responses of 8x8, which may repeat the key.
 */

const PRIVATE = {
  source: '+6591110001',
  destination: '+6591110002',
  sessionId: '+6591110004',
  errorMsg: 'private message of 8x8',
  clientRequestId: 'private-request-id',
  unrecognised: 'private field',
  authorization: 'private-authorization',
  body: 'private body +6591110003',
};

const logged: string[] = [];
const proxies: FaultProxy[] = [];
let isRefusing = false;
let stack: LocalStack;
beforeAll(async () => {
  stack = await startStack({
    log: (line) => logged.push(line),
    async between(_, endpoint) {
      const proxy = await faultProxy(endpoint, () => (isRefusing ? 'refuse' : undefined));
      proxies.push(proxy);
      return proxy.url;
    },
  });
});
afterAll(async () => {
  await stack.stop();
  for (const proxy of proxies) await proxy.close();
});

function privateBody(sessionId: string, payload: object = {}): string {
  return summaryBody({
    sessionId,
    clientRequestId: PRIVATE.clientRequestId,
    errorDetails: { errorCode: -2004, errorMsg: PRIVATE.errorMsg },
    details: {
      callA: { source: PRIVATE.source, destination: PRIVATE.destination, callDuration: PRIVATE.source },
    },
    [PRIVATE.unrecognised]: PRIVATE.unrecognised,
    ...payload,
  });
}

it('no function logs private data when it accepts, rejects, records or fails', async () => {
  const send = (body: string) =>
    stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, MessageBody: body }));
  const count = (metric: string) => logged.filter((line) => line.includes(`"${metric}":`)).length;
  const post = (authorization: string, body: string) =>
    fetch(stack.webhookUrl, { method: 'POST', headers: { Authorization: authorization }, body });

  // Neither queued nor recorded, because SQS and DynamoDB deny access.
  isRefusing = true;
  expect((await deliver(stack, privateBody('private-7')))?.status).toBe(503);
  await send(privateBody('private-8'));
  await expect.poll(() => count('RecordsFailed')).toBeGreaterThan(0);
  isRefusing = false;
  // Accepted, duplicate, conflict; too large for DynamoDB; rejected for every reason; and sent past the webhook.
  await deliver(stack, privateBody('private-1'));
  await awaitRecords(stack, ['private-1']);
  for (const callCount of [1, 2]) await deliver(stack, privateBody(PRIVATE.sessionId, { callCount }));
  await awaitRecords(stack, [PRIVATE.sessionId]);
  await deliver(stack, privateBody('private-1'));
  await deliver(stack, privateBody('private-1', { endTime: '2026-01-13T09:00:00Z' }));
  for (const half of ['a', 'b'])
    await deliver(stack, privateBody('private-2', { half, long: `${PRIVATE.source} `.repeat(19_000) }));
  const statuses = [
    await post(PRIVATE.authorization, privateBody('private-3')),
    await post(stack.authorization, PRIVATE.body),
    await post(stack.authorization, privateBody('private-4', { subAccountId: [PRIVATE.body] })),
    await post(stack.authorization, privateBody('private-5', { subAccountId: 'private-account' })),
    await post(stack.authorization, `{"eventType":"CALL_ACTION","payload":"${PRIVATE.body}"}`),
    await post(stack.authorization, `${PRIVATE.body} `.repeat(20_000)),
  ].map(({ status }) => status);
  await send(PRIVATE.body);
  await send(privateBody('private-6', { subAccountId: [PRIVATE.body] }));
  stack.fake8x8.switches.faults = ['echo', 401];
  await vssWebhook(['doctor', '--stage', `local:${new URL(stack.webhookUrl).port}`]);

  expect(statuses).toEqual([401, 400, 422, 422, 422, 413]);
  const wanted = ['DuplicateDeliveries', 'ConflictingSummaries', 'DeadLettered', 'WebhookRegistered'];
  await expect.poll(() => wanted.filter((metric) => count(metric) === 0)).toEqual([]);
  await expect
    .poll(() => logged.filter((line) => line.includes('dead-letter queue')).length)
    .toBeGreaterThanOrEqual(3);

  const text = logged.join('\n');
  const encoded = text.match(/[\w+/-]{16,}/g) ?? [];
  const everything = [text, ...encoded.map((base64) => Buffer.from(base64, 'base64').toString())].join('\n');
  for (const secret of [...Object.values(PRIVATE), '659111', stack.authorization, API_KEY])
    expect(everything).not.toContain(secret);
});
