import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollQueue } from '../../../infra/local/event-source.ts';
import { queueDepth } from '../../queue-depth.ts';

/** The local event source mapping behaves like Lambda's. */

type Batch = { Records: { messageId: string; body: string }[] };

const app = () => buildApp({ logger: false });
let server: ReturnType<typeof app>;
let sqs: SQSClient;
let queueUrl: string;
let stopping: AbortController;
let polling: Promise<void>;
let logged: string[];

beforeEach(async () => {
  server = app();
  const endpoint = await server.listen({ port: 0, host: '127.0.0.1' });
  sqs = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const { QueueUrl = '' } = await sqs.send(
    // The emulator makes messages visible again only when polled, so a message stays hidden while it is processed.
    new CreateQueueCommand({ QueueName: 'queue', Attributes: { VisibilityTimeout: '0' } }),
  );
  queueUrl = QueueUrl;
  stopping = new AbortController();
  logged = [];
});

afterEach(async () => {
  stopping.abort();
  await polling;
  await server.close();
});

function feed(handle: (batch: Batch) => unknown): void {
  const target = {
    invoke: async (event: unknown) => handle(JSON.parse(JSON.stringify(event))),
  };
  const source = { queueArn: 'arn', queueUrl, batchSize: 10, batchingWindowSeconds: 0, target };
  polling = pollQueue(sqs, source, stopping.signal, (line) => logged.push(line));
}

const send = (...bodies: string[]) =>
  Promise.all(
    bodies.map((MessageBody) => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }))),
  );

const left = () => queueDepth(sqs, queueUrl);

describe('pollQueue', () => {
  it('retries only the messages that the function reports as failed', async () => {
    const received: string[] = [];
    await send('good', 'bad', 'also good');

    feed(({ Records }) => {
      const failed = Records.filter(({ body }) => body === 'bad' && !received.includes('bad'));
      received.push(...Records.map(({ body }) => body));
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });

    await expect.poll(left).toBe(0);
    expect(received.toSorted()).toEqual(['also good', 'bad', 'bad', 'good']);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('broken'))],
    [
      'reports a message that was not in the batch',
      () => ({ batchItemFailures: [{ itemIdentifier: 'other' }] }),
    ],
  ])('retries the whole batch when the function %s', async (_, fault) => {
    let batches = 0;
    await send('message');

    feed(() => (++batches === 1 ? fault() : {}));

    await expect.poll(() => batches).toBe(2);
    await expect.poll(left).toBe(0);
  });

  it('logs a failure and continues to poll', async () => {
    let received = 0;
    const broken = queueUrl;
    queueUrl = broken.replace('/queue', '/gone');
    feed(() => {
      received++;
      return {};
    });

    await expect.poll(() => logged.length).toBeGreaterThan(1);
    expect(logged[0]).toContain('queue');
    expect(received).toBe(0);
  });
});
