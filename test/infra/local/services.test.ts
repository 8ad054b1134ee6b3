import { Readable } from 'node:stream';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  BatchGetItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { queueAge } from '../../../functions/reconciliation/delivery-metrics.ts';
import { type Services, startServices } from '../../../infra/local/services.ts';
import { REGION } from '../../../infra/local/template.ts';

/** The services of the local stack do what the functions need, called by the same clients. */

const cleanUp = new AsyncDisposableStack();
let services: Services;
beforeAll(async () => {
  services = await startServices(cleanUp, { log: () => {}, onEvent: () => {} });
});
afterAll(() => cleanUp.disposeAsync());

const COMMON = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

describe('S3', () => {
  let s3: S3Client;
  let Bucket: string;
  let buckets = 0;
  beforeEach(async () => {
    s3 = new S3Client({ ...COMMON, endpoint: services.endpoints.s3 });
    Bucket = `bucket-${++buckets}`;
    await s3.send(new CreateBucketCommand({ Bucket }));
  });

  it.each([
    ['application/gzip', 100],
    [undefined, 2_000_000],
  ])('stores a stream of type %s and %d bytes with its checksum', async (ContentType, length) => {
    const content = Buffer.alloc(length, 'content');
    const Key = 'charges/2026-11-24/a(amp)b.json.gz';
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: Readable.from(chunksOf(content)),
        ContentLength: length,
        ...(ContentType && { ContentType }),
      }),
    );

    const { Body, ContentLength, ChecksumCRC32 } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect([ContentLength, ChecksumCRC32]).toEqual([length, expect.any(String)]);
    expect(Buffer.compare((await Body?.transformToByteArray()) ?? Buffer.of(), content)).toBe(0);
  });

  it('replaces an object, lists a prefix, and has no other objects', async () => {
    for (const [Key, Body] of [
      ['reconciliation/state/a.json', '1'],
      ['reconciliation/state/a.json', '2'],
      ['other', '3'],
    ] as const)
      await s3.send(new PutObjectCommand({ Bucket, Key, Body }));

    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'reconciliation/state/a.json' }));
    expect(await Body?.transformToString()).toBe('2');
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'reconciliation/' }));
    expect(Contents).toMatchObject([{ Key: 'reconciliation/state/a.json', Size: 1 }]);
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
      $metadata: { httpStatusCode: 404 },
    });
  });
});

describe('CloudWatch', () => {
  it('has the age of the oldest message of a queue', async () => {
    const sqs = new SQSClient({ ...COMMON, endpoint: services.endpoints.sqs });
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'aging' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'old' }));
    const cloudWatch = new CloudWatchClient({ ...COMMON, endpoint: services.endpoints.cloudwatch });

    await expect.poll(() => queueAge(cloudWatch, QueueUrl, Date.now())).toBeGreaterThanOrEqual(1);
  });
});

describe('DynamoDB', () => {
  const TableName = 'batch';
  const keys = Array.from({ length: 100 }, (_, i) => ({ sessionId: { S: `session-${i}` } }));
  const existing = keys.slice(0, 5);
  let dynamodb: DynamoDBClient;
  beforeAll(async () => {
    dynamodb = new DynamoDBClient({ ...COMMON, endpoint: services.endpoints.dynamodb });
    await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'sessionId', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'sessionId', KeyType: 'HASH' }],
      }),
    );
    for (const key of existing) {
      const Item = { ...key, sessionStatus: { S: 'BUSY' }, large: { S: 'x'.repeat(390_000) } };
      await dynamodb.send(new PutItemCommand({ TableName, Item }));
    }
  });

  it('returns those of a hundred items that exist, and only the requested attributes', async () => {
    const { Responses, UnprocessedKeys } = await dynamodb.send(
      new BatchGetItemCommand({
        RequestItems: { [TableName]: { Keys: keys, ProjectionExpression: 'sessionId, sessionStatus' } },
      }),
    );

    const expected = existing.map((key) => ({ ...key, sessionStatus: { S: 'BUSY' } }));
    expect(Responses?.[TableName]).toHaveLength(existing.length);
    expect(Responses?.[TableName]).toEqual(expect.arrayContaining(expected));
    expect(UnprocessedKeys).toEqual({});
  });

  it('leaves keys unprocessed when the requested attributes exceed its limit', async () => {
    const { Responses, UnprocessedKeys } = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: existing } } }),
    );

    const unprocessed = UnprocessedKeys?.[TableName]?.Keys ?? [];
    expect(unprocessed.length).toBeGreaterThan(0);
    expect((Responses?.[TableName] ?? []).length + unprocessed.length).toBe(existing.length);
  });
});

function* chunksOf(content: Buffer): Generator<Buffer> {
  for (let start = 0; start < content.length; start += 65_536) yield content.subarray(start, start + 65_536);
}
