import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delivery } from '../../functions/queue/message.ts';
import type { Call, Fault } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * The promise to 8x8, which does not repeat a delivery that was answered 200: the webhook answers 200 only after SQS has
 * acknowledged the message. It answers a 4xx that reports the body as kept only after the dead-letter queue has
 * acknowledged it. Otherwise it answers 503 with Retry-After, within Lambda's timeout of ten seconds: if the function
 * timed out, API Gateway would answer 8x8, and we would have no log line.
 *
 * What could break it: a response that does not wait for SQS, a swallowed error of SQS, an SDK that accepts a late or
 * incomplete response, and retries that together exceed the function's timeout.
 */

/** Deliveries that wait for SQS must not delay others. */
const WEBHOOK_CONCURRENCY = 10;

let stage: EmulatedStage;
/** By a text in the call: the faults of these calls, in order. The last fault repeats. */
const faults = new Map<string, (Fault | undefined)[]>();
/** By the same text: the number of calls. */
const calls = new Map<string, number>();
beforeAll(async () => {
  stage = await emulatedStage({ webhooks: WEBHOOK_CONCURRENCY });
  stage.faultOf = ({ body }: Call) => {
    const [text = '', upcoming = []] = [...faults].find(([text]) => body.includes(text)) ?? [];
    calls.set(text, (calls.get(text) ?? 0) + 1);
    return upcoming.length > 1 ? upcoming.shift() : upcoming[0];
  };
});
afterAll(() => stage.stop());

let sessions = 0;
const newSession = () => `acknowledged-${++sessions}-`;

/**
 * The faults of SQS; whether the message is in the queue nevertheless; and the number of attempts, unless it depends on
 * time.
 */
const FAULTS: readonly { event: string; fault: Fault; effect: boolean; attempts?: number }[] = [
  { event: 'SQS returns a server error', fault: 'error', effect: false, attempts: 3 },
  { event: 'SQS returns a server error with a Retry-After of one minute', fault: 'busy', effect: false },
  { event: 'SQS throttles the call', fault: 'throttle', effect: false, attempts: 3 },
  { event: 'SQS denies access', fault: 'refuse', effect: false, attempts: 1 },
  { event: 'SQS never responds', fault: 'silent', effect: false },
  { event: 'SQS stores the message, but its response stalls', fault: 'stalled', effect: true },
  { event: 'SQS stores the message, but responds too late', fault: 'late', effect: true },
  {
    event: 'the connection breaks before SQS has the message',
    fault: 'cut-before',
    effect: false,
    attempts: 3,
  },
  { event: 'the connection breaks after SQS has the message', fault: 'cut-after', effect: true, attempts: 3 },
];

const UNAVAILABLE = {
  statusCode: 503,
  headers: { 'Content-Type': 'application/problem+json', 'Retry-After': 30 },
  body: {
    type: 'urn:problem:vss-webhook:queue-unavailable',
    status: 503,
    // The webhook cannot know whether SQS kept the message.
    detail: expect.stringContaining('may not have been kept'),
  },
};

const Problem = v.object({ requestId: v.string() });

/** The log lines about a delivery that the function could not store. */
function linesAbout(body: unknown): string[] {
  const { requestId } = v.parse(Problem, body);
  return stage
    .lines()
    .filter((line) => line.includes('A delivery could not be stored') && line.includes(requestId));
}

const contains = ({ body }: Delivery, text: string) => Buffer.from(body).includes(text);

async function isQueued(text: string): Promise<boolean> {
  return (await stage.queued()).some(({ delivery }) => contains(delivery, text));
}

async function isDeadLetter(text: string): Promise<boolean> {
  return (await stage.deadLetters()).some(({ delivery }) => contains(delivery, text));
}

describe.concurrent('the webhook', () => {
  it.for(FAULTS)(
    'answers 503 within its timeout when, at every attempt, $event',
    async ({ fault, effect, attempts }, { expect }) => {
      const sessionId = newSession();
      const text = newSession();
      faults.set(sessionId, [fault]).set(text, [fault]);

      const answers = await Promise.all([
        stage.deliver(summaryBody({ sessionId })),
        stage.deliver(`{"eventType":"SESSION_SUMMARY","payload":"${text}"}`),
      ]);

      expect(answers).toMatchObject([UNAVAILABLE, UNAVAILABLE]);
      for (const made of [calls.get(sessionId), calls.get(text)]) {
        expect(made).toBeLessThanOrEqual(3);
        if (attempts !== undefined) expect(made).toBe(attempts);
      }
      for (const { body } of answers) await expect.poll(() => linesAbout(body)).toHaveLength(1);
      expect(await isQueued(sessionId)).toBe(effect);
      expect(await isDeadLetter(text)).toBe(effect);
    },
  );

  it.each(FAULTS.filter(({ fault }) => fault !== 'refuse' && fault !== 'busy'))(
    'answers 200 and queues the summary when, only once, $event',
    async ({ fault }) => {
      const sessionId = newSession();
      faults.set(sessionId, [fault, undefined]);

      const answer = await stage.deliver(summaryBody({ sessionId }));

      expect(answer).toMatchObject({ statusCode: 200, body: { status: 'accepted', sessionId } });
      expect(await isQueued(sessionId)).toBe(true);
    },
  );
});

describe('the webhook', () => {
  it('puts a delivery that it answers with 200 in the queue only, byte for byte', async () => {
    const sessionId = newSession();
    const body = `\uFEFF ${summaryBody({ sessionId, clientRequestId: '😀 \uFFFE' })}\r\n`;

    const answer = await stage.deliver(body);

    expect(answer.statusCode).toBe(200);
    const kept = (await stage.queued()).filter(({ delivery }) => contains(delivery, sessionId));
    expect(kept.map(({ delivery }) => delivery.body)).toEqual([body]);
    expect(await isDeadLetter(sessionId)).toBe(false);
  });

  it.each([
    ['400 invalid-json', '{"eventType": "not JSON" '],
    ['400 invalid-json', Buffer.from([0x7b, 0xc3, 0x28, 0x7d])],
    ['422 invalid-summary', '{"eventType": "SESSION_SUMMARY",  "payload": {"sessionId": "odd"}}'],
    ['422 unknown-subaccount', summaryBody({ subAccountId: 'not-configured' })],
  ])('puts a body that it answers with %s in the dead-letter queue, byte for byte', async (problem, body) => {
    const answer = await stage.deliver(body);

    const [status, reason] = problem.split(' ');
    expect(answer).toMatchObject({
      statusCode: Number(status),
      body: { type: `urn:problem:vss-webhook:${reason}` },
    });
    const kept = (await stage.deadLetters()).find(({ delivery }) =>
      Buffer.from(delivery.body).equals(Buffer.from(body)),
    );
    expect(kept).toMatchObject({ reason });
  });

  it.each([
    ['400 invalid-json', ''],
    ['413 payload-too-large', ' '.repeat(256 * 1024 + 1)],
    ['422 unsupported-event', '{"eventType":"CALL_ACTION","payload":"not-kept"}'],
  ])('does not claim to keep a body that it answers with %s and does not keep', async (problem, body) => {
    const before = await stage.deadLetters();

    const answer = await stage.deliver(body);

    const [status, reason] = problem.split(' ');
    expect(answer).toMatchObject({
      statusCode: Number(status),
      body: { type: `urn:problem:vss-webhook:${reason}` },
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/(?<!not )kept/);
    expect(await stage.deadLetters()).toEqual(before);
  });
});
