import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { buildSync } from 'esbuild';
import * as v from 'valibot';
import { digestOf } from '../../functions/authorization/digest.ts';
import { type Delivery, fromMessage, type Message } from '../../functions/queue/message.ts';
import { fromItem } from '../../functions/recorder/item.ts';
import { SessionRecord } from '../../functions/vss/record.ts';
import { bundleOptions } from '../../infra/constructs/bundle-options.ts';
import { pollQueue } from '../../infra/local/event-source.ts';
import { LocalFunction } from '../../infra/local/lambda.ts';
import { noteRunning, noteStopped } from '../../infra/local/running.ts';
import { ACCOUNT, REGION } from '../../infra/local/template.ts';
import { startEmulators } from '../emulators.ts';
import { type Call, type Fault, faultProxy, visibilityRewrite } from '../faults/fault-proxy.ts';

/** The Authorization value that the webhook of an emulated stage accepts. */
export const AUTHORIZATION = 'the-accepted-value';

const Answer = v.object({
  statusCode: v.number(),
  headers: v.record(v.string(), v.union([v.string(), v.number()])),
  body: v.pipe(v.string(), v.parseJson()),
});
export type Answer = v.InferOutput<typeof Answer>;

/** A message in a queue, visible or in flight. */
export interface KeptMessage {
  messageId: string;
  reason: string | undefined;
  delivery: Delivery;
}

/** The path of a delivery from the webhook to the table, without API Gateway and registration. */
export interface EmulatedStage {
  /** The stage name to pass to commands: `local:PORT`. */
  name: string;
  /** Chooses the fault of each call to SQS and DynamoDB. Default: none. */
  faultOf: (call: Call) => Fault | undefined;
  /** Replaces the visibility timeout, in seconds, that the recorder requests for a message. Default: 0. */
  hiddenFor: (requested: number) => number;
  /** Invokes the webhook with a body, as API Gateway does. Rejects if the function exits or exceeds its timeout. */
  deliver(body: string | Uint8Array, authorization?: string): Promise<Answer>;
  /** Sends a message to the queue, bypassing the webhook. */
  send(message: Pick<Message, 'MessageBody'> & Partial<Message>): Promise<void>;
  /** Changes the sub-accounts that the webhook accepts, as a deployment does. */
  configure(subAccountIds: readonly string[]): void;
  /** Starts to poll the queue. The messages sent before form the first batch. */
  startRecorders(): void;
  /** Kills a busy recorder, as if its host failed. Returns false if none is busy. */
  killRecorder(): boolean;
  queued(): Promise<KeptMessage[]>;
  deadLetters(): Promise<KeptMessage[]>;
  /** Every record, by session. */
  records(): Promise<Map<string, SessionRecord>>;
  /** Every line that the functions have logged so far. */
  lines(): readonly string[];
  /** The sum of a metric of the recorder so far. */
  count(metric: string): number;
  stop(): Promise<void>;
}

export interface EmulatedStageOptions {
  /**
   * The visibility timeout of the queue. Default: 0 for one recorder, because the emulator makes messages visible only
   * when it is polled, so they stay hidden while that recorder is busy. 30 for several recorders, so that they do not
   * receive each other's messages.
   */
  visibilityTimeoutSeconds?: number;
  /** Concurrency of the recorder. Default: 1. */
  recorders?: number;
  /** Concurrency of the webhook. Default: 1. */
  webhooks?: number;
}

/** Bundles a function as it is deployed, once per worker. The wrapped webhook fails when it exceeds its Lambda timeout. */
const bundleOf = {
  webhook: once(() =>
    bundle('webhook/handler.ts', fileURLToPath(new URL('webhook-within-its-timeout.ts', import.meta.url))),
  ),
  recorder: once(() => bundle('recorder/handler.ts')),
};

function bundle(handler: string, entry?: string): string {
  const outfile = join(mkdtempSync(join(tmpdir(), 'vss-webhook-bundle-')), 'index.cjs');
  const options = bundleOptions(handler);
  buildSync({ ...options, ...(entry !== undefined && { entryPoints: [entry] }), outfile });
  return outfile;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** An invocation that takes this long hangs, even on a slow machine. */
const HANGING_SECONDS = 600;

/** As in the template. */
const MAX_RECEIVE_COUNT = 20;

/**
 * Runs the deployed `handler.ts` of the webhook and the recorder in separate processes, with queues on fauxqs and a
 * table on dynalite, behind proxies that inject faults. Starts in half a second, because it does not use the template.
 */
export async function emulatedStage({
  recorders = 1,
  visibilityTimeoutSeconds = recorders === 1 ? 0 : 30,
  webhooks = 1,
}: EmulatedStageOptions = {}): Promise<EmulatedStage> {
  const logged: string[] = [];
  const emulators = await startEmulators();
  const { sqs, sqsEndpoint, dynamodb, dynamodbEndpoint, tableName } = emulators;
  const faultOf = (call: Call) => stage.faultOf(call);
  const [sqsProxy, dynamodbProxy] = await Promise.all([
    faultProxy(
      sqsEndpoint,
      faultOf,
      visibilityRewrite((requested) => stage.hiddenFor(requested)),
    ),
    faultProxy(dynamodbEndpoint, faultOf),
  ]);
  /** Returns the queue URL of the proxy. */
  async function createQueue(name: string, attributes: Record<string, string>): Promise<string> {
    await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    return `${sqsProxy.url}/${ACCOUNT}/${name}`;
  }
  const arnOf = (queue: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${queue}`;
  const common = { MaximumMessageSize: String(2 ** 20) };
  const deadLetterQueueUrl = await createQueue('dead-letters', common);
  const queueUrl = await createQueue('queue', {
    ...common,
    VisibilityTimeout: String(visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: arnOf('dead-letters'),
      maxReceiveCount: MAX_RECEIVE_COUNT,
    }),
  });

  function start(
    name: 'webhook' | 'recorder',
    concurrency: number,
    environment: Record<string, string>,
  ): LocalFunction {
    return new LocalFunction(
      {
        name,
        bundle: bundleOf[name](),
        timeoutSeconds: HANGING_SECONDS,
        memoryMegabytes: 512,
        environment: { ...environment, DEAD_LETTER_QUEUE_URL: deadLetterQueueUrl },
      },
      {
        AWS_ENDPOINT_URL_SQS: sqsProxy.url,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodbProxy.url,
      },
      (line) => logged.push(line),
      concurrency,
    );
  }
  const startWebhook = (subAccountIds: readonly string[]) =>
    start('webhook', webhooks, {
      QUEUE_URL: queueUrl,
      AUTHORIZATION_DIGESTS: digestOf(AUTHORIZATION),
      SUB_ACCOUNT_IDS: subAccountIds.join(),
    });
  let webhook = startWebhook(['8x8_test']);
  const recorder = start('recorder', recorders, { TABLE_NAME: tableName, QUEUE_URL: queueUrl });
  const stopping = new AbortController();
  const polling: Promise<void>[] = [];

  const port = Number(new URL(sqsEndpoint).port);
  noteRunning(port, {
    outputs: {
      QueueUrl: queueUrl,
      DeadLetterQueueUrl: deadLetterQueueUrl,
      TableName: tableName,
      // Nothing listens here: tests invoke the webhook directly.
      WebhookUrl: 'http://127.0.0.1/',
      AuthorizationSecretArn: '',
      SubAccountIds: '',
      RegistrationFunctionName: '',
      WebhookFunctionName: '',
      AlarmTopicArn: '',
    },
    endpoints: {
      sqs: sqsProxy.url,
      dynamodb: dynamodbEndpoint,
      dynamodbStreams: '',
      lambda: '',
      cloudwatch: '',
      secretsManager: '',
      sns: '',
      events: '',
      pipes: '',
      s3: '',
      fake8x8: '',
    },
  });

  const stage: EmulatedStage = {
    name: `local:${port}`,
    faultOf: () => undefined,
    hiddenFor: () => 0,

    async deliver(body, authorization = AUTHORIZATION) {
      const event = {
        headers: { Authorization: authorization },
        body: Buffer.from(body).toString('base64'),
        isBase64Encoded: true,
        requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
      };
      return v.parse(Answer, await webhook.invoke(event));
    },

    async send(message) {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...message }));
    },

    configure(subAccountIds) {
      webhook.stop();
      webhook = startWebhook(subAccountIds);
    },

    startRecorders() {
      const source = { queueArn: arnOf('queue'), queueUrl, batchSize: 10, batchingWindowSeconds: 0 };
      for (let i = 0; i < recorders; i++)
        polling.push(
          pollQueue(sqs, { ...source, target: recorder }, stopping.signal, (line) => logged.push(line)),
        );
    },

    killRecorder: () => recorder.kill(),
    queued: () => messagesIn(sqsEndpoint, 'queue'),
    deadLetters: () => messagesIn(sqsEndpoint, 'dead-letters'),

    async records() {
      const records: SessionRecord[] = [];
      const pages = paginateScan({ client: dynamodb }, { TableName: tableName, ConsistentRead: true });
      for await (const { Items = [] } of pages)
        records.push(...Items.map((item) => v.parse(SessionRecord, fromItem(item))));
      return new Map(records.map((record) => [record.sessionId, record]));
    },

    lines: () => logged,

    count(metric) {
      // Some metrics are also logged with another dimension, on a separate line.
      const lines = logged.filter((line) => line.includes('"Dimensions":[["service"]]'));
      // Several values of one batch are logged as a list.
      const values = lines.flatMap((line) => line.match(new RegExp(`(?<="${metric}":)[\\d,[\\]]+`)) ?? []);
      return values
        .flatMap((value) => value.match(/\d+/g) ?? [])
        .reduce((sum, value) => sum + Number(value), 0);
    },

    async stop() {
      noteStopped(port);
      stopping.abort();
      webhook.stop();
      recorder.stop();
      await Promise.all(polling);
      await Promise.all([sqsProxy.close(), dynamodbProxy.close()]);
      await emulators.stop();
    },
  };
  return stage;
}

const Attributes = v.record(v.string(), v.object({ DataType: v.string(), StringValue: v.string() }));
const Kept = v.object({
  messageId: v.string(),
  body: v.string(),
  messageAttributes: v.optional(Attributes, {}),
  sentTimestamp: v.number(),
});
const QueueContents = v.object({
  messages: v.object({ ready: v.array(Kept), inflight: v.array(v.object({ message: Kept })) }),
});

/** The messages in a queue. The emulator's inspection endpoint lists them without receiving them. */
async function messagesIn(sqsEndpoint: string, queue: string): Promise<KeptMessage[]> {
  const response = await fetch(`${sqsEndpoint}/_fauxqs/queues/${queue}`);
  const { messages } = v.parse(QueueContents, await response.json());
  return [...messages.ready, ...messages.inflight.map(({ message }) => message)].map(
    ({ messageId, body, messageAttributes, sentTimestamp }) => ({
      messageId,
      reason: messageAttributes['reason']?.StringValue,
      delivery: fromMessage({
        messageId,
        body,
        attributes: { SentTimestamp: String(sentTimestamp) },
        messageAttributes: Object.fromEntries(
          Object.entries(messageAttributes).map(([name, { DataType, StringValue }]) => [
            name,
            { dataType: DataType, stringValue: StringValue },
          ]),
        ),
      }),
    }),
  );
}
