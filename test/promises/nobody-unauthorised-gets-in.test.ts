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
 * Promised to whoever trusts the records: only 8x8 can make one. Who does not know the Authorization value, or does not
 * call from an allowed address, is refused; nothing of what they send is queued, kept as a dead letter, or told back to
 * them, not even whether it was well-formed. There is no other way in.
 *
 * It would be broken by a comparison that is content with a part or another case, by a list of headers that is read as
 * one value, by a body that is judged before the header, by a resource policy or a method too many, and by a rotation
 * that keeps what it should forget, or forgets what 8x8 still sends.
 */

let stack: LocalStack;
let webhook: LocalFunction;
const proxies: FaultProxy[] = [];
const logged: string[] = [];
/** The calls that functions have made to SQS. */
const calls: string[] = [];
beforeAll(async () => {
  stack = await startStack({
    log: (line) => logged.push(line),
    // Not this machine's: it stands for everyone who is not 8x8.
    settings: { allowedSourceIps: ['192.0.2.1'] },
    async between(service, endpoint) {
      const proxy = await faultProxy(endpoint, ({ operation }) => {
        if (service === 'sqs') calls.push(operation);
        return undefined;
      });
      proxies.push(proxy);
      return proxy.url;
    },
  });
  webhook = theWebhook(stack);
});
beforeEach(() => {
  calls.length = 0;
});
afterAll(async () => {
  await stack.stop();
  for (const proxy of proxies) await proxy.close();
});

function theWebhook({ functions }: LocalStack): LocalFunction {
  const found = [...functions.values()].find(({ environment }) => 'AUTHORIZATION_DIGESTS' in environment);
  if (!found) throw new Error('No function knows the digests of the accepted values');
  return found;
}

const Answer = v.object({ statusCode: v.number(), body: v.string() });

/** What the webhook answers to what the edge has let in. */
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
  /** Each way of not having it, given the value. */
  const WITHOUT: readonly (readonly [what: string, headersFor: (value: string) => object | null])[] = [
    ['no headers at all', () => null],
    ['no Authorization', () => ({ 'Content-Type': 'application/json' })],
    ['an empty one', () => ({ Authorization: '' })],
    ['another of the same length', (value) => ({ Authorization: 'x'.repeat(value.length) })],
    ['its first half', (value) => ({ Authorization: value.slice(0, value.length / 2) })],
    ['all but its last character', (value) => ({ Authorization: value.slice(0, -1) })],
    ['all but its first character', (value) => ({ Authorization: value.slice(1) })],
    ['another last character', (value) => ({ Authorization: `${value.slice(0, -1)}!` })],
    ['a character more', (value) => ({ Authorization: `${value}x` })],
    ['a space before it', (value) => ({ Authorization: ` ${value}` })],
    ['a NUL after it', (value) => ({ Authorization: `${value}\u0000` })],
    ['capitals', (value) => ({ Authorization: value.toUpperCase() })],
    ['small letters', (value) => ({ Authorization: value.toLowerCase() })],
    ['two schemes before it', (value) => ({ Authorization: `Bearer Basic ${value}` })],
    ['a scheme and two spaces before it', (value) => ({ Authorization: `Bearer  ${value}` })],
    ['a scheme that is no word before it', (value) => ({ Authorization: `"Bearer" ${value}` })],
    ['a scheme and no space before it', (value) => ({ Authorization: `Bearer${value}` })],
    ['a scheme after it', (value) => ({ Authorization: `${value} Bearer` })],
    ['a scheme before half of it', (value) => ({ Authorization: `Bearer ${value.slice(value.length / 2)}` })],
    ['a scheme alone', () => ({ Authorization: 'Bearer ' })],
    ['it in base64, as Basic', (value) => ({ Authorization: `Basic ${btoa(value)}` })],
    ['it in quotes', (value) => ({ Authorization: `"${value}"` })],
    ['it twice, joined as HTTP joins headers', (value) => ({ Authorization: `${value}, ${value}` })],
    ['a list of accepted and other', (value) => ({ Authorization: `x,${value}` })],
    ['its digest', () => ({ Authorization: webhook.environment['AUTHORIZATION_DIGESTS']?.split(',')[0] })],
    ['all digests', () => ({ Authorization: webhook.environment['AUTHORIZATION_DIGESTS'] })],
    ['it in another header', (value) => ({ 'X-Authorization': value, 'Proxy-Authorization': value })],
    ['several Authorization headers', () => ({ Authorization: 'a', authorization: 'b', AUTHORIZATION: '' })],
  ];

  /** What each kind of body would be answered, were it 8x8's: 200, 400, 422, 422, 422. */
  const BODIES = [
    summaryBody({ clientRequestId: 'told-to-nobody' }),
    '{"told-to-nobody',
    summaryBody({ sessionId: { is: 'told-to-nobody' } }),
    summaryBody({ subAccountId: 'told-to-nobody' }),
    '{"eventType":"CALL_ACTION","payload":"told-to-nobody"}',
  ];

  it.each(WITHOUT)(
    'but with %s is refused, the same whatever its body, and leaves nothing',
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
    'differs from one with %j and the value by nothing else',
    async (scheme) => {
      const answer = await answerTo({ authorization: `${scheme}${stack.authorization}` });

      expect(answer).toMatchObject({ statusCode: 200 });
      expect(calls).toEqual(['SendMessage']);
    },
  );
});

describe('the edge', () => {
  const problem = (name: string, status: number) => ({ type: `urn:problem:vss-webhook:${name}`, status });

  it('refuses an address that is not allowed, whatever it knows, before any code runs', async () => {
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
  ])('has no %s %s: API Gateway answers that itself, in the format of the webhook', async (method, path) => {
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

describe('after a rotation', () => {
  it('the value before is accepted until the next one, and an older one never', async () => {
    const tell = createAuthorizationHandler(async (version) => `value of ${version}`);
    // The stack names the versions before and after too (test/infra/stack.test.ts).
    const answer = await tell({
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

describe('where no digest is known', () => {
  it('nothing is accepted', () => {
    expect(isAccepted('', [''])).toBe(false);
    expect(isAccepted('', [])).toBe(false);
  });
});
