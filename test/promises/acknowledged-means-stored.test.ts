import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delivery } from '../../functions/queue/message.ts';
import type { Call, Fault } from '../faults/fault-proxy.ts';
import { summaryBody } from '../functions/summaries.ts';
import { type EmulatedStage, emulatedStage } from './emulated-stage.ts';

/**
 * Promised to 8x8, which forgets a delivery once it is answered 200: that answer is given only after SQS has
 * acknowledged the message; and to whoever sends, that a 4xx which says that the body was kept is given only after the
 * dead-letter queue has acknowledged it. Else the answer is 503 with Retry-After, before Lambda's ten seconds are over:
 * a function that runs into its timeout would leave 8x8 with an answer of API Gateway's, and us with no log line.
 *
 * It would be broken by an answer that does not wait for SQS, by an error of SQS that is caught and forgotten, by an
 * SDK that takes a late or broken answer for one, and by attempts that together take longer than the function may.
 */

/** Those that wait for SQS take no time of others. */
const AT_ONCE = 10;

let stage: EmulatedStage;
/** The fault of each call that has this text in it; the next one first, and the last one stays. */
const faults = new Map<string, (Fault | undefined)[]>();
/** How many calls had this text in them. */
const calls = new Map<string, number>();
beforeAll(async () => {
  stage = await emulatedStage({ webhooks: AT_ONCE });
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
 * What SQS may do to a call; whether the message may be in the queue all the same; and how often it is tried, where that
 * does not depend on time.
 */
const FAULTS: readonly { what: string; fault: Fault; effect: boolean; attempts?: number }[] = [
  { what: 'fails', fault: 'error', effect: false, attempts: 3 },
  { what: 'fails and asks for a pause of a minute', fault: 'busy', effect: false },
  { what: 'is asked too much', fault: 'throttle', effect: false, attempts: 3 },
  { what: 'refuses', fault: 'refuse', effect: false, attempts: 1 },
  { what: 'takes the call and never answers', fault: 'silent', effect: false },
  { what: 'stores the message, begins an answer and stops', fault: 'stalled', effect: true },
  { what: 'stores the message and answers too late', fault: 'late', effect: true },
  { what: 'is cut off before the message arrives', fault: 'cut-before', effect: false, attempts: 3 },
  { what: 'is cut off after the message has arrived', fault: 'cut-after', effect: true, attempts: 3 },
];

const UNAVAILABLE = {
  statusCode: 503,
  headers: { 'Content-Type': 'application/problem+json', 'Retry-After': 30 },
  body: {
    type: 'urn:problem:vss-webhook:queue-unavailable',
    status: 503,
    // Neither that it was kept, nor that it was not: nobody knows.
    detail: expect.stringContaining('may not have been kept'),
  },
};

const Problem = v.object({ requestId: v.string() });

/** What the function logged of a delivery that it could not store. */
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

describe.concurrent('while SQS', () => {
  it.for(FAULTS)(
    '$what, whatever is delivered is answered 503 in time',
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
    '$what, but only once, a summary is answered 200, and is in the queue',
    async ({ fault }) => {
      const sessionId = newSession();
      faults.set(sessionId, [fault, undefined]);

      const answer = await stage.deliver(summaryBody({ sessionId }));

      expect(answer).toMatchObject({ statusCode: 200, body: { status: 'accepted', sessionId } });
      expect(await isQueued(sessionId)).toBe(true);
    },
  );
});

describe('an answer', () => {
  it('200 has the delivery in the queue, byte for byte, and nowhere else', async () => {
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
  ])('%s has the body in the dead-letter queue, byte for byte', async (problem, body) => {
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
  ])('%s to what is not kept says nothing of keeping', async (problem, body) => {
    const before = await stage.deadLetters();

    const answer = await stage.deliver(body);

    const [status, reason] = problem.split(' ');
    expect(answer).toMatchObject({
      statusCode: Number(status),
      body: { type: `urn:problem:vss-webhook:${reason}` },
    });
    expect(JSON.stringify(answer.body)).not.toContain('kept');
    expect(await stage.deadLetters()).toEqual(before);
  });
});
