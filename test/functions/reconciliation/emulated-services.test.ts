import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, type GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { BatchGetItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { toMessage } from '../../../functions/queue/message.ts';
import { keyPart, objects } from '../../../functions/reconciliation/bucket.ts';
import { dayStates, NEW_DAY } from '../../../functions/reconciliation/day-states.ts';
import { deadLetterSessions } from '../../../functions/reconciliation/dead-letter-sessions.ts';
import { acceptedDeliveries, queueAge } from '../../../functions/reconciliation/delivery-metrics.ts';
import { recordedSessions } from '../../../functions/reconciliation/recorded-sessions.ts';
import { sessionTable } from '../../../functions/recorder/session-table.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { CloudWatch } from '../../../infra/local/cloudwatch.ts';
import { close, listenOnLoopback } from '../../../infra/local/loopback.ts';
import { REGION } from '../../../infra/local/template.ts';
import { CREDENTIALS, startEmulators } from '../../emulators.ts';
import { summaryBody, summaryOf } from '../summaries.ts';

let emulators: Awaited<ReturnType<typeof startEmulators>>;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

const AT = '2026-11-25T06:30:00.000Z';

describe('the lookup of recorded sessions', () => {
  async function record(sessionId: string, sessionStatus: string | null, reconstructedFrom?: string) {
    const summary = summaryOf(summaryBody({ sessionId, sessionStatus, callCount: 2 }));
    const record = newRecord(receivedSummary(summary, AT, reconstructedFrom));
    await sessionTable(emulators.dynamodb, emulators.tableName).add(record);
  }

  it('tells delivered sessions from reconstructed, erased and missing ones', async () => {
    await record('delivered', 'BUSY');
    await record('no-status', null);
    await record('reconstructed', 'COMPLETED', 'log-export');
    await emulators.dynamodb.send(
      new PutItemCommand({
        TableName: emulators.tableName,
        Item: { sessionId: { S: 'erased' }, erasedAt: { S: AT } },
      }),
    );
    const lookUp = recordedSessions(emulators.dynamodb, emulators.tableName);

    const ids = ['delivered', 'no-status', 'reconstructed', 'erased', 'missing'];
    expect(Object.fromEntries(await lookUp(ids))).toEqual({
      erased: 'erased',
      delivered: { subAccountId: '8x8_test', status: 'BUSY', reconstruction: undefined },
      'no-status': { subAccountId: '8x8_test', status: undefined, reconstruction: undefined },
      reconstructed: {
        subAccountId: '8x8_test',
        status: 'COMPLETED',
        reconstruction: { legs: 2, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    });
    expect((await lookUp([])).size).toBe(0);
  });

  /** A client that leaves all keys but the first of each request unprocessed. */
  function throttled(isThrottled: () => boolean) {
    const client: Pick<DynamoDBClient, 'send'> = emulators.dynamodb;
    const requests: number[] = [];
    const send = async (command: BatchGetItemCommand) => {
      const { Keys = [], ...others } = command.input.RequestItems?.[emulators.tableName] ?? {};
      requests.push(Keys.length);
      const [processed, unprocessed] = isThrottled() ? [Keys.slice(0, 1), Keys.slice(1)] : [Keys, []];
      const RequestItems = { [emulators.tableName]: { ...others, Keys: processed } };
      const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems }));
      return { Responses, UnprocessedKeys: { [emulators.tableName]: { ...others, Keys: unprocessed } } };
    };
    return { client: { send }, requests };
  }

  it('asks again for keys that DynamoDB has not processed', async () => {
    await record('a', 'BUSY');
    await record('b', 'BUSY');
    const { client, requests } = throttled(() => true);
    const pauses: number[] = [];
    const lookUp = recordedSessions(client, emulators.tableName, async (ms) => pauses.push(ms));

    expect([...(await lookUp(['a', 'b', 'c'])).keys()].sort()).toEqual(['a', 'b']);
    expect(requests).toEqual([3, 2, 1]);
    expect(pauses.length).toBe(2);
  });

  it('fails if DynamoDB leaves keys unprocessed ten times, instead of taking their sessions for missing', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
    const lookUp = recordedSessions(throttled(() => true).client, emulators.tableName, async () => {});

    await expect(lookUp(keys)).rejects.toThrow('DynamoDB left 10 keys unprocessed 10 times');
  });
});

describe('the sessions in the dead-letter queue', () => {
  async function queueOf(bodies: readonly string[]) {
    const QueueName = `dead-letters-${Math.random().toString(36).slice(2)}`;
    const { QueueUrl = '' } = await emulators.sqs.send(new CreateQueueCommand({ QueueName }));
    for (const body of bodies) {
      const message = toMessage(
        { body, receivedAt: AT, requestId: 'request' },
        { reason: 'recording-failed' },
      );
      await emulators.sqs.send(new SendMessageCommand({ QueueUrl, ...message }));
    }
    return QueueUrl;
  }

  it('are read from all of its messages, however these are encoded, and stay there', async () => {
    const bodies = Array.from({ length: 23 }, (_, i) =>
      summaryBody({ sessionId: `session-${i}`, note: '😀' }),
    );
    const url = await queueOf([...bodies, 'not a summary', '{"eventType":"CALL_STATUS"}']);

    const sessions = await deadLetterSessions(emulators.sqs, url);

    expect([...(sessions ?? [])].sort()).toEqual(bodies.map((_, i) => `8x8_test session-${i}`).sort());
    const attributes = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    });
    expect((await emulators.sqs.send(attributes)).Attributes).toMatchObject({
      ApproximateNumberOfMessages: '25',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
  });

  it('are unknown while another reader hides messages', async () => {
    const url = await queueOf([summaryBody({ sessionId: 'hidden' })]);
    await emulators.sqs.send(new ReceiveMessageCommand({ QueueUrl: url, VisibilityTimeout: 60 }));

    expect(await deadLetterSessions(emulators.sqs, url)).toBeUndefined();
  });

  it('are none if it is empty', async () => {
    expect(await deadLetterSessions(emulators.sqs, await queueOf([]))).toEqual(new Set());
  });
});

describe('the bucket', () => {
  const bucket = 'exports';
  const client = () =>
    new S3Client({ endpoint: emulators.sqsEndpoint, region: REGION, credentials: CREDENTIALS });
  beforeAll(async () => {
    await client().send(new CreateBucketCommand({ Bucket: bucket }));
  });

  it('keeps JSON and files, and has nothing under a key that was never written', async () => {
    const stored = objects(client(), bucket);
    const folder = mkdtempSync(join(tmpdir(), 'objects-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = openSync(join(folder, 'file'), 'wx+');
    onTestFinished(() => closeSync(file));
    writeSync(file, 'x'.repeat(1_000_000));

    await stored.writeJson('a.json', { a: 1 });
    await stored.writeRows('b', file, 7);

    expect(await stored.readJson('a.json')).toEqual({ a: 1 });
    const { Body, ContentLength } = await client().send(new GetObjectCommand({ Bucket: bucket, Key: 'b' }));
    expect([ContentLength, (await Body?.transformToString())?.length]).toEqual([1_000_000, 1_000_000]);
    expect([await stored.rowsOf('b'), await stored.rowsOf('none')]).toEqual([7, 0]);
    expect(await stored.readJson('none.json')).toBeUndefined();
    expect(await stored.readJson('b')).toBeNull();
    await expect(objects(client(), 'other').readJson('a.json')).rejects.toThrow();
  });

  it('keeps when a sub-account was first seen, and the state of each day on its own', async () => {
    const times = ['2026-01-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z'].values();
    const states = dayStates(objects(client(), bucket), () => Date.parse(times.next().value ?? ''));

    expect(await states.firstSeen('a&b')).toBe('2026-01-01T00:00:00.000Z');
    expect(await states.firstSeen('a&b')).toBe('2026-01-01T00:00:00.000Z');
    await Promise.all([
      states.save('a&b', '2026-11-24', { failures: 2 }),
      states.save('a&b', '2026-11-25', { failures: 3 }),
    ]);
    expect(await states.read('a&b', ['2026-11-25', '2026-11-23', '2026-11-24'])).toEqual([
      { failures: 3 },
      NEW_DAY,
      { failures: 2 },
    ]);
  });

  it('has keys without characters that need care', () => {
    expect(keyPart('Acme-1._&co')).toBe('Acme-1._(amp)co');
  });
});

describe('the age of the queue', () => {
  it.each([
    [7_200, 7_200],
    [undefined, 0],
  ])('is that of its oldest message: with %s seconds, it is %i', async (oldest, age) => {
    const asked: string[] = [];
    const server = new CloudWatch().server(async (name) => {
      asked.push(name);
      return oldest;
    });
    const endpoint = await listenOnLoopback(server, 0);
    onTestFinished(() => close(server));
    const client = new CloudWatchClient({ endpoint, region: REGION, credentials: CREDENTIALS });

    expect(await queueAge(client, 'https://sqs.example.com/123456789012/queue-1', Date.now())).toBe(age);
    expect(asked).toEqual(['queue-1']);
  });

  it('is read from the last quarter of an hour, because SQS publishes it minutes late', async () => {
    const ages = [3_700, 100];
    const client = {
      send: async ({ input: { StartTime, EndTime } }: GetMetricDataCommand) => {
        expect([StartTime, EndTime]).toEqual([
          new Date('2026-11-25T06:15:00Z'),
          new Date('2026-11-25T06:30:00Z'),
        ]);
        return { MetricDataResults: [{ Values: ages }] };
      },
    };

    expect(
      await queueAge(client, 'https://sqs.example.com/1/queue', Date.parse('2026-11-25T06:30:00Z')),
    ).toBe(3_700);
  });
});

it('the accepted deliveries are those of the stage in the period', async () => {
  const metrics = new CloudWatch();
  const note = (service: string, time: string, DeliveriesAccepted: number) =>
    metrics.note(
      JSON.stringify({
        _aws: {
          Timestamp: Date.parse(time),
          CloudWatchMetrics: [
            { Namespace: 'VssWebhook', Dimensions: [['service']], Metrics: [{ Name: 'DeliveriesAccepted' }] },
          ],
        },
        service,
        DeliveriesAccepted,
      }),
    );
  note('stack', '2026-11-23T10:00:00Z', 2);
  note('stack', '2026-11-24T10:00:00Z', 3);
  note('stack', '2026-11-22T10:00:00Z', 5);
  note('another', '2026-11-24T10:00:00Z', 7);
  const server = metrics.server(async () => undefined);
  const endpoint = await listenOnLoopback(server, 0);
  onTestFinished(() => close(server));
  const client = new CloudWatchClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  const period = [new Date('2026-11-23T00:00:00Z'), new Date('2026-11-26T00:00:00Z')] as const;

  expect(await acceptedDeliveries(client, 'stack', ...period)).toBe(5);
});
