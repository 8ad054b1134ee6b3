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

/** An expected and an actual result of a function under Lambda's runtime. */
export interface Result {
  label: string;
  expected: string;
  actual: string;
  passes: boolean;
}

/** The means of a trial. Everything that it starts is stopped after it. */
export interface Trial {
  services: Services;
  start(
    folder: 'webhook' | 'recorder',
    environment?: Readonly<Record<string, string | undefined>>,
  ): Promise<ExecutionEnvironment>;
}

/** The Authorization value that the webhook accepts. */
export const AUTHORIZATION = 'Bearer runtime';
export const AUTHORIZATION_DIGEST = digestOf(AUTHORIZATION);

const WEBHOOK_TIMEOUT_MS = TIMEOUT_SECONDS.webhook * 1_000;
const RECORDER_TIMEOUT_MS = TIMEOUT_SECONDS.recorder * 1_000;

/** The number of starts of each function, and their limit. A delivery waits for a cold start. */
const COLD_STARTS = 5;
const COLD_START_MS = 1_000;

/** The expectations of the functions under Lambda's runtime. Each trial runs separately. */
export const trials: Readonly<Record<string, (trial: Trial) => Promise<Result[]>>> = {
  'cold start of the webhook': (trial) => coldStart(trial, 'webhook'),
  'cold start of the recorder': (trial) => coldStart(trial, 'recorder'),

  async 'deliveries are queued, each with its own trace'({ services, start }) {
    const webhook = await start('webhook');
    const rows: Result[] = [];
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
        equal(
          `webhook, ${which}`,
          `200, queued, trace: ${traceId ?? 'none'}`,
          `${status}, ${message?.Body === body ? 'queued' : 'not queued'}, trace: ${services.traceHeaders.at(-1) ?? 'none'}`,
        ),
      );
    }
    return rows;
  },

  async 'a batch is recorded, except for an invalid message'({ services, start }) {
    const recorder = await start('recorder');
    const bodies = Array.from({ length: 10 }, (_, i) =>
      i === 4 ? '{}' : summaryBody({ sessionId: `${i}` }),
    );
    const failures = await record(recorder, bodies.map(toReceived));
    const deadLetters = await services.receive(services.deadLetterQueueUrl);
    return [
      equal(
        'recorder, batch of ten with an invalid message',
        'no failures, dead letters: {}, 9 recorded',
        `${failures}, dead letters: ${deadLetters.map(({ Body }) => Body)}, ${(await services.records()).length} recorded`,
      ),
    ];
  },

  async 'a message that cannot be recorded stays in the queue'({ start }) {
    const recorder = await start('recorder', { TABLE_NAME: 'missing' });
    return [
      equal(
        'recorder, a table that does not exist',
        'failures: message-0',
        await record(recorder, [toReceived(summaryBody(), 0)]),
      ),
    ];
  },

  async 'an initialisation error names a missing variable'({ start }) {
    const { initialised } = await start('webhook', { QUEUE_URL: undefined });
    return [
      equal(
        'webhook, without QUEUE_URL: init error',
        'Environment variables missing or malformed: QUEUE_URL',
        initialised === 'ready' ? 'ready' : initialised.error.errorMessage.replace(/\. .*/, ''),
      ),
    ];
  },

  async 'an invalid event does not affect the next one'({ services, start }) {
    const recorder = await start('recorder');
    const outcome = await invoke(recorder, { event: {}, timeoutMs: RECORDER_TIMEOUT_MS });
    const failures = await record(recorder, [toReceived(summaryBody(), 0)]);
    return [
      equal(
        'recorder, an event without Records, then a valid one',
        'TypeError, then no failures, 1 recorded',
        `${'error' in outcome ? outcome.error.errorType : 'no error'}, then ${failures}, ${(await services.records()).length} recorded`,
      ),
    ];
  },

  'the webhook answers in time when SQS never responds': (trial) =>
    unavailable(trial, 'never responds', SILENT),
  'the webhook answers in time when SQS requests a long pause': (trial) =>
    unavailable(trial, 'responds with Retry-After: 60', (_, response) =>
      response.writeHead(503, { 'Retry-After': '60' }).end(),
    ),

  'a recorder that is killed before its write loses nothing': (trial) =>
    killed(trial, 'before its write', 0, () => listening(SILENT)),
  'a recorder that is killed after its write duplicates nothing': (trial) =>
    killed(trial, 'after its write', 1, (dynamodb) => faultProxy(dynamodb, () => 'late')),
};

async function coldStart({ start }: Trial, folder: 'webhook' | 'recorder'): Promise<Result[]> {
  const took: number[] = [];
  for (let i = 0; i < COLD_STARTS; i++) {
    const { initialised, initMilliseconds } = await start(folder);
    if (initialised !== 'ready') throw new Error(textOf(initialised));
    took.push(initMilliseconds);
  }
  return [below(`${folder}, cold start (ms; median of ${COLD_STARTS})`, COLD_START_MS, median(took))];
}

/** When SQS is unavailable, the webhook itself must answer: after its timeout, it could not answer or log anything. */
async function unavailable({ start }: Trial, behaviour: string, sqs: RequestListener): Promise<Result[]> {
  const { url, close } = await listening(sqs);
  try {
    const webhook = await start('webhook', { QUEUE_URL: `${url}/${ACCOUNT}/queue` });
    const began = performance.now();
    const status = await deliver(webhook, summaryBody());
    const took = performance.now() - began;
    return [
      equal(`webhook, SQS ${behaviour}`, '503', status),
      below(`webhook, SQS ${behaviour} (ms; its timeout)`, WEBHOOK_TIMEOUT_MS, took),
    ];
  } finally {
    await close();
  }
}

/**
 * Lambda kills a recorder at its timeout, because DynamoDB does not respond. The message becomes visible again, and
 * another recorder receives it.
 */
async function killed(
  { services, start }: Trial,
  when: string,
  written: number,
  between: (dynamodb: string) => Promise<Pick<FaultProxy, 'url' | 'close'>>,
): Promise<Result[]> {
  const { queueUrl } = services;
  const dynamodb = await between(services.dynamodb);
  try {
    await deliver(await start('webhook'), summaryBody());
    const recorder = await start('recorder', { AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url });
    const [first] = await services.receive(queueUrl);
    const event = { Records: first ? [toRecord(first, RECORDED_FROM)] : [] };
    // Shorter than the recorder's own request timeout of two seconds.
    const outcome = await invoke(recorder, { event, timeoutMs: 1_500 });
    const before = await services.records();

    const [again] = await services.receive(queueUrl, 5);
    const failures = await record(await start('recorder'), again ? [toRecord(again, RECORDED_FROM)] : []);
    const after = (await services.records()).map(({ revision }) => `revision ${revision}`);
    return [
      equal(
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

/** Delivers as API Gateway does, which treats every media type as binary. Returns the status or the error. */
async function deliver(webhook: ExecutionEnvironment, body: string, traceId?: string): Promise<string> {
  const event: Request = {
    headers: { Authorization: AUTHORIZATION },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
  const outcome = await invoke(webhook, { event, traceId, timeoutMs: WEBHOOK_TIMEOUT_MS });
  return 'error' in outcome ? textOf(outcome) : String(v.parse(Answer, outcome.response).statusCode);
}

const BatchResponse = v.object({ batchItemFailures: v.array(v.object({ itemIdentifier: v.string() })) });

/** Invokes the recorder with a batch. Returns the failed messages or the error. */
async function record(recorder: ExecutionEnvironment, records: readonly object[]): Promise<string> {
  const outcome = await invoke(recorder, { event: { Records: records }, timeoutMs: RECORDER_TIMEOUT_MS });
  if ('error' in outcome) return textOf(outcome);
  const failed = v.parse(BatchResponse, outcome.response).batchItemFailures;
  return failed.length === 0
    ? 'no failures'
    : `failures: ${failed.map(({ itemIdentifier }) => itemIdentifier)}`;
}

/** Invokes a function. Returns the initialisation error if there was one. */
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

/** Accepts connections and requests, but never responds. */
const SILENT: RequestListener = () => {};

/** Starts a server with this handler. */
async function listening(service: RequestListener): Promise<Pick<FaultProxy, 'url' | 'close'>> {
  const server = createServer(service);
  return { url: await listenOnLoopback(server, 0), close: () => close(server) };
}

const textOf = ({ error }: Failed) => `${error.errorType}: ${error.errorMessage}`;

function equal(label: string, expected: string, actual: string): Result {
  return { label, expected, actual, passes: actual === expected };
}

function below(label: string, limit: number, actual: number): Result {
  return {
    label,
    expected: `under ${limit.toLocaleString('en')}`,
    actual: Math.round(actual).toLocaleString('en'),
    passes: actual < limit,
  };
}
