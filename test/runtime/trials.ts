import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import * as v from 'valibot';
import { digestOf } from '../../functions/authorization/digest.ts';
import { toMessage } from '../../functions/queue/message.ts';
import type { Request } from '../../functions/webhook/receive.ts';
import { TIMEOUT_SECONDS } from '../../infra/constructs/timeouts.ts';
import { toRecord } from '../../infra/local/event-source.ts';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';
import { ACCOUNT, REGION } from '../../infra/local/template.ts';
import { median } from '../bench/median.ts';
import { type FaultProxy, faultProxy } from '../faults/fault-proxy.ts';
import { carried } from '../functions/queue/carried.ts';
import { summaryBody } from '../functions/summaries.ts';
import type { ExecutionEnvironment } from './execution-environment.ts';
import type { Failed, Invocation } from './runtime-api.ts';
import type { Services } from './services.ts';

/** What was expected of a function under Lambda's runtime, and what was seen. */
export interface Seen {
  what: string;
  expected: string;
  seen: string;
  holds: boolean;
}

/** What is needed to try one. All that it starts ends with it. */
export interface Trial {
  services: Services;
  start(
    folder: 'webhook' | 'recorder',
    environment?: Readonly<Record<string, string | undefined>>,
  ): Promise<ExecutionEnvironment>;
}

/** The Authorization value that the webhook is given. */
export const AUTHORIZATION = 'Bearer runtime';
export const AUTHORIZATION_DIGEST = digestOf(AUTHORIZATION);

const WEBHOOK_TIMEOUT_MS = TIMEOUT_SECONDS.webhook * 1_000;
const RECORDER_TIMEOUT_MS = TIMEOUT_SECONDS.recorder * 1_000;

/** How often each function is started, and how long that may take: a delivery waits for it. */
const COLD_STARTS = 5;
const COLD_START_MS = 1_000;

/** What the functions promise under Lambda's runtime; each is tried on its own. */
export const trials: Readonly<Record<string, (trial: Trial) => Promise<Seen[]>>> = {
  'cold start of the webhook': (trial) => coldStart(trial, 'webhook'),
  'cold start of the recorder': (trial) => coldStart(trial, 'recorder'),

  async 'deliveries are queued, each with its own trace'({ services, start }) {
    const webhook = await start('webhook');
    const rows: Seen[] = [];
    for (const [which, traceId] of [
      ['first delivery', 'Root=1-a;Sampled=1'],
      ['warm delivery', 'Root=1-b;Sampled=0'],
      ['warm delivery, not traced', undefined],
    ] as const) {
      const body = summaryBody({ lastAction: which });
      const status = await deliver(webhook, body, traceId);
      const [message] = await services.receive(services.queueUrl);
      if (message) await services.remove(services.queueUrl, message);
      rows.push(
        same(
          `webhook, ${which}`,
          `200, queued, trace: ${traceId ?? 'none'}`,
          `${status}, ${message?.Body === body ? 'queued' : 'not queued'}, trace: ${services.traceHeaders.at(-1) ?? 'none'}`,
        ),
      );
    }
    return rows;
  },

  async 'a batch is recorded but for a bad message'({ services, start }) {
    const recorder = await start('recorder');
    const bodies = Array.from({ length: 10 }, (_, i) =>
      i === 4 ? '{}' : summaryBody({ sessionId: `${i}` }),
    );
    const failures = await record(recorder, bodies.map(toReceived));
    const deadLetters = await services.receive(services.deadLetterQueueUrl);
    return [
      same(
        'recorder, batch of ten with a bad message',
        'no failures, dead letters: {}, 9 recorded',
        `${failures}, dead letters: ${deadLetters.map(({ Body }) => Body)}, ${(await services.records()).length} recorded`,
      ),
    ];
  },

  async 'what cannot be recorded is left to the queue'({ start }) {
    const recorder = await start('recorder', { TABLE_NAME: 'missing' });
    return [
      same(
        'recorder, a table that does not exist',
        'failures: message-0',
        await record(recorder, [toReceived(summaryBody(), 0)]),
      ),
    ];
  },

  async 'a missing variable is named'({ start }) {
    const { initialised } = await start('webhook', { QUEUE_URL: undefined });
    return [
      same(
        'webhook, without QUEUE_URL: init error',
        'Environment variables missing or malformed: QUEUE_URL',
        initialised === 'ready' ? 'ready' : initialised.error.errorMessage.replace(/\. .*/, ''),
      ),
    ];
  },

  async 'an event that is none fails alone'({ services, start }) {
    const recorder = await start('recorder');
    const outcome = await invoke(recorder, { event: {}, timeoutMs: RECORDER_TIMEOUT_MS });
    const failures = await record(recorder, [toReceived(summaryBody(), 0)]);
    return [
      same(
        'recorder, an event without Records, then one with',
        'TypeError, then no failures, 1 recorded',
        `${'error' in outcome ? outcome.error.errorType : 'no error'}, then ${failures}, ${(await services.records()).length} recorded`,
      ),
    ];
  },

  'a queue that never answers is answered for in time': (trial) =>
    unavailable(trial, 'never answers', SILENT),
  'a queue that asks for a long pause is answered for in time': (trial) =>
    unavailable(trial, 'asks for a minute', (_, response) =>
      response.writeHead(503, { 'Retry-After': '60' }).end(),
    ),

  'a recorder killed before it has written loses nothing': (trial) =>
    killed(trial, 'before it has written', 0, () => listening(SILENT)),
  'a recorder killed after it has written doubles nothing': (trial) =>
    killed(trial, 'after it has written', 1, (dynamodb) => faultProxy(dynamodb, () => 'late')),
};

async function coldStart({ start }: Trial, folder: 'webhook' | 'recorder'): Promise<Seen[]> {
  const took: number[] = [];
  for (let i = 0; i < COLD_STARTS; i++) {
    const { initialised, initMilliseconds } = await start(folder);
    if (initialised !== 'ready') throw new Error(said(initialised));
    took.push(initMilliseconds);
  }
  return [within(`${folder}, cold start (ms; median of ${COLD_STARTS})`, COLD_START_MS, median(took))];
}

/** Whatever SQS does, the webhook says so itself: an invocation that runs into its timeout says nothing. */
async function unavailable({ start }: Trial, does: string, sqs: RequestListener): Promise<Seen[]> {
  const { url, close } = await listening(sqs);
  try {
    const webhook = await start('webhook', { QUEUE_URL: `${url}/${ACCOUNT}/queue` });
    const began = performance.now();
    const status = await deliver(webhook, summaryBody());
    const took = performance.now() - began;
    return [
      same(`webhook, SQS ${does}`, '503', status),
      within(`webhook, SQS ${does} (ms; its timeout)`, WEBHOOK_TIMEOUT_MS, took),
    ];
  } finally {
    await close();
  }
}

/**
 * A delivery goes through the queue to a recorder that Lambda ends at its timeout, because DynamoDB does not answer;
 * then the message is visible again, and goes to another one.
 */
async function killed(
  { services, start }: Trial,
  when: string,
  written: number,
  between: (dynamodb: string) => Promise<Pick<FaultProxy, 'url' | 'close'>>,
): Promise<Seen[]> {
  const { queueUrl } = services;
  const dynamodb = await between(services.dynamodb);
  try {
    await deliver(await start('webhook'), summaryBody());
    const recorder = await start('recorder', { AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url });
    const [first] = await services.receive(queueUrl);
    const event = { Records: first ? [toRecord(first, RECORDED_FROM)] : [] };
    // Sooner than the recorder's own two seconds for an answer.
    const outcome = await invoke(recorder, { event, timeoutMs: 1_500 });
    const before = await services.records();

    const [again] = await services.receive(queueUrl, 5);
    const failures = await record(await start('recorder'), again ? [toRecord(again, RECORDED_FROM)] : []);
    const after = (await services.records()).map(({ revision }) => `revision ${revision}`);
    return [
      same(
        `recorder, killed at its timeout ${when}`,
        `Sandbox.Timedout, ${written} recorded, then no failures, revision 1`,
        `${'error' in outcome ? outcome.error.errorType : 'an answer'}, ${before.length} recorded, then ${failures}, ${after}`,
      ),
    ];
  } finally {
    await dynamodb.close();
  }
}

const RECORDED_FROM = { queueArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:queue` };

const Answer = v.object({ statusCode: v.number() });

/** Delivers as API Gateway does, whose API takes every media type as binary. Returns the status, or the error. */
async function deliver(webhook: ExecutionEnvironment, body: string, traceId?: string): Promise<string> {
  const event: Request = {
    headers: { Authorization: AUTHORIZATION },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
  const outcome = await invoke(webhook, { event, traceId, timeoutMs: WEBHOOK_TIMEOUT_MS });
  return 'error' in outcome ? said(outcome) : String(v.parse(Answer, outcome.response).statusCode);
}

const BatchResponse = v.object({ batchItemFailures: v.array(v.object({ itemIdentifier: v.string() })) });

/** Invokes with a batch. Returns which messages failed, or the error. */
async function record(recorder: ExecutionEnvironment, records: readonly object[]): Promise<string> {
  const outcome = await invoke(recorder, { event: { Records: records }, timeoutMs: RECORDER_TIMEOUT_MS });
  if ('error' in outcome) return said(outcome);
  const failed = v.parse(BatchResponse, outcome.response).batchItemFailures;
  return failed.length === 0
    ? 'no failures'
    : `failures: ${failed.map(({ itemIdentifier }) => itemIdentifier)}`;
}

/** Invokes a function that has to be there. */
async function invoke(
  { initialised, invoke }: ExecutionEnvironment,
  invocation: Invocation,
): Promise<{ response: unknown } | Failed> {
  return initialised === 'ready' ? invoke(invocation) : initialised;
}

function toReceived(body: string, i: number) {
  const delivery = { body, receivedAt: new Date().toISOString(), requestId: `request-${i}` };
  return carried(toMessage(delivery), `message-${i}`);
}

/** Accepts connections and requests, and says nothing. */
const SILENT: RequestListener = () => {};

/** A service that does nothing else. */
async function listening(service: RequestListener): Promise<Pick<FaultProxy, 'url' | 'close'>> {
  const server = createServer(service);
  return { url: await listenOnLoopback(server, 0), close: () => close(server) };
}

const said = ({ error }: Failed) => `${error.errorType}: ${error.errorMessage}`;

function same(what: string, expected: string, seen: string): Seen {
  return { what, expected, seen, holds: seen === expected };
}

function within(what: string, limit: number, seen: number): Seen {
  return {
    what,
    expected: `under ${limit.toLocaleString('en')}`,
    seen: Math.round(seen).toLocaleString('en'),
    holds: seen < limit,
  };
}
