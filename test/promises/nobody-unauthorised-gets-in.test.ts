import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHandler as createAuthorizationHandler } from '../../functions/authorization/create-handler.ts';
import { isAccepted } from '../../functions/authorization/digest.ts';
import type { LocalFunction } from '../../infra/local/lambda.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { type FaultProxy, faultProxy } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { startStack } from '../start-stack.ts';

/**
 * The promise to the readers of the records: only 8x8 can create one. A request without the Authorization value, or
 * from an address that is not allowed, is rejected. Its body is neither queued nor kept as a dead letter, and the
 * response does not reveal whether the body was well-formed. The webhook has no other entrance.
 *
 * What could break it: a comparison that accepts a part of the value or ignores case, a list of headers that is read as
 * one value, a body that is parsed before the header is checked, a resource policy or method too many, and a rotation
 * that keeps an expired value or drops one that 8x8 still sends.
 */

let stack: LocalStack;
let webhook: LocalFunction;
const proxies: FaultProxy[] = [];
const logged: string[] = [];
/** The operations that functions have called on SQS. */
const calls: string[] = [];
beforeAll(async () => {
  stack = await startStack({
    log: (line) => logged.push(line),
    // Not the address of this machine, so the tests call from an address that is not allowed.
    edit: (template) => template.replaceAll('"127.0.0.1"', '"192.0.2.1"'),
    async between(service, endpoint) {
      const proxy = await faultProxy(endpoint, ({ operation }) => {
        if (service === 'sqs') calls.push(operation);
        return undefined;
      });
      proxies.push(proxy);
      return proxy.url;
    },
  });
  webhook = webhookOf(stack);
});
beforeEach(() => {
  calls.length = 0;
});
afterAll(async () => {
  await stack.stop();
  for (const proxy of proxies) await proxy.close();
});

function webhookOf({ functions }: LocalStack): LocalFunction {
  const found = [...functions.values()].find(({ environment }) => 'AUTHORIZATION_DIGESTS' in environment);
  if (!found) throw new Error('No function has AUTHORIZATION_DIGESTS');
  return found;
}

const Answer = v.object({ statusCode: v.number(), body: v.string() });

/** Invokes the webhook with a request, as if API Gateway had accepted it. */
async function answerTo(headers: object | null, body: string | Buffer = summaryBody()) {
  const requestId = randomUUID();
  const answer = v.parse(
    Answer,
    await webhook.invoke({
      headers,
      body: Buffer.from(body).toString('base64'),
      isBase64Encoded: true,
      requestContext: { requestId, requestTimeEpoch: Date.now() },
    }),
  );
  return { statusCode: answer.statusCode, body: answer.body.replace(requestId, 'REQUEST') };
}

describe('a request without the Authorization value', () => {
  /** Headers that do not contain the value as they should. */
  const INVALID: readonly (readonly [description: string, headersFor: (value: string) => object | null])[] = [
    ['no headers', () => null],
    ['no Authorization header', () => ({ 'Content-Type': 'application/json' })],
    ['an empty value', () => ({ Authorization: '' })],
    ['another value of the same length', (value) => ({ Authorization: 'x'.repeat(value.length) })],
    ['the first half of the value', (value) => ({ Authorization: value.slice(0, value.length / 2) })],
    ['the value without its last character', (value) => ({ Authorization: value.slice(0, -1) })],
    ['the value without its first character', (value) => ({ Authorization: value.slice(1) })],
    ['the value with another last character', (value) => ({ Authorization: `${value.slice(0, -1)}!` })],
    ['the value and one more character', (value) => ({ Authorization: `${value}x` })],
    ['a space before the value', (value) => ({ Authorization: ` ${value}` })],
    ['a NUL after the value', (value) => ({ Authorization: `${value}\u0000` })],
    ['the value in upper case', (value) => ({ Authorization: value.toUpperCase() })],
    ['the value in lower case', (value) => ({ Authorization: value.toLowerCase() })],
    ['two schemes before the value', (value) => ({ Authorization: `Bearer Basic ${value}` })],
    ['a scheme and two spaces before the value', (value) => ({ Authorization: `Bearer  ${value}` })],
    ['an invalid scheme before the value', (value) => ({ Authorization: `"Bearer" ${value}` })],
    ['a scheme and no space before the value', (value) => ({ Authorization: `Bearer${value}` })],
    ['a scheme after the value', (value) => ({ Authorization: `${value} Bearer` })],
    [
      'a scheme and half of the value',
      (value) => ({ Authorization: `Bearer ${value.slice(value.length / 2)}` }),
    ],
    ['a scheme without a value', () => ({ Authorization: 'Bearer ' })],
    ['the value in base64, as Basic', (value) => ({ Authorization: `Basic ${btoa(value)}` })],
    ['the value in quotes', (value) => ({ Authorization: `"${value}"` })],
    ['the value twice, joined as HTTP joins headers', (value) => ({ Authorization: `${value}, ${value}` })],
    ['a list of another value and the value', (value) => ({ Authorization: `x,${value}` })],
    ['the digest', () => ({ Authorization: webhook.environment['AUTHORIZATION_DIGESTS']?.split(',')[0] })],
    ['all digests', () => ({ Authorization: webhook.environment['AUTHORIZATION_DIGESTS'] })],
    ['the value in another header', (value) => ({ 'X-Authorization': value, 'Proxy-Authorization': value })],
    ['several Authorization headers', () => ({ Authorization: 'a', authorization: 'b', AUTHORIZATION: '' })],
  ];

  /** With a valid value, these bodies would be answered 200, 400, 422, 422 and 422. */
  const BODIES = [
    summaryBody({ clientRequestId: 'told-to-nobody' }),
    '{"told-to-nobody',
    summaryBody({ sessionId: { is: 'told-to-nobody' } }),
    summaryBody({ subAccountId: 'told-to-nobody' }),
    '{"eventType":"CALL_ACTION","payload":"told-to-nobody"}',
  ];

  it.each(INVALID)(
    'but with %s is answered with the same 401 for every body, and never queued',
    async (_, headersFor) => {
      const answers = await Promise.all(
        BODIES.map((body) => answerTo(headersFor(stack.authorization), body)),
      );

      expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([401]));
      expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
      expect(answers[0]?.body).toContain('urn:problem:vss-webhook:unauthorized');
      expect(JSON.stringify(answers)).not.toContain('told-to-nobody');
      expect(calls).toEqual([]);
    },
  );

  it.each(['', 'Bearer ', 'bearer ', 'Token '])(
    'would be accepted if it had the value after %j',
    async (scheme) => {
      const answer = await answerTo({ authorization: `${scheme}${stack.authorization}` });

      expect(answer).toMatchObject({ statusCode: 200 });
      expect(calls).toEqual(['SendMessage']);
    },
  );
});

describe('API Gateway', () => {
  const problem = (name: string, status: number) => ({ type: `urn:problem:vss-webhook:${name}`, status });

  it('rejects a request from an address that is not allowed before any function runs', async () => {
    const lines = logged.length;

    const response = await fetch(stack.webhookUrl, {
      method: 'POST',
      headers: { Authorization: stack.authorization },
      body: summaryBody(),
    });

    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject(problem('source-not-allowed', 403));
    expect(logged.slice(lines)).toEqual([]);
    expect(calls).toEqual([]);
  });

  it.each([
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['OPTIONS', ''],
    ['POST', '/'],
    ['POST', '/../vss2'],
    ['POST', '/../../webhooks'],
    ['POST', '/../../../..'],
  ])('answers %s %s with 404, in the format of the webhook', async (method, path) => {
    const response = await fetch(`${stack.webhookUrl}${path}`, {
      method,
      headers: { Authorization: stack.authorization },
      ...(method !== 'GET' && { body: summaryBody() }),
    });

    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      ...problem('not-found', 404),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(calls).toEqual([]);
  });
});

describe('a rotation', () => {
  it('keeps the current, the previous and the next value, and no older one', async () => {
    const handle = createAuthorizationHandler(async (version) => `value of ${version}`);
    // The stack passes the secrets of the previous and the next version too (test/infra/stack.test.ts).
    const answer = await handle({
      RequestType: 'Create',
      ServiceToken: '',
      ResponseURL: '',
      StackId: '',
      RequestId: '',
      LogicalResourceId: '',
      ResourceType: '',
      ResourceProperties: { ServiceToken: '', version: '3', secretArns: ['2', '3', '4'] },
    });
    const { digests } = v.parse(
      v.object({ digests: v.string() }),
      'Data' in answer ? answer.Data : undefined,
    );

    const accepted = ['1', '2', '3', '4', '5'].filter((version) =>
      isAccepted(`value of ${version}`, digests.split(',')),
    );

    expect(accepted).toEqual(['2', '3', '4']);
  });
});

it('the webhook accepts no value when it has no digest', () => {
  expect(isAccepted('', [''])).toBe(false);
  expect(isAccepted('', [])).toBe(false);
});
