import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toMessage } from '../../../functions/queue/message.ts';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { sessionTable } from '../../../functions/recorder/session-table.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { eraseCharges } from '../../../infra/commands/erase/erase-charges.ts';
import { SessionItems } from '../../../infra/commands/erase/session-items.ts';
import { readRecords } from '../../../infra/local/examples.ts';
import { REGION } from '../../../infra/local/template.ts';
import { CREDENTIALS, startEmulators } from '../../emulators.ts';
import { type FaultProxy, faultProxy } from '../../faults/fault-proxy.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { queueDepth } from '../../queue-depth.ts';
import { deployedStage } from './deployed-stage.ts';
import { type VssWebhookOptions, vssWebhook } from './vss-webhook.ts';

const BUCKET = 'exports';
const DAY = '2026-01-13';
const NUMBER = '+6591234567';
const OTHER = '+6598765432';

let emulators: Awaited<ReturnType<typeof startEmulators>>;
let s3: S3Client;
let stage: Awaited<ReturnType<typeof deployedStage>>;
let deadLetterQueueUrl: string;
let proxies: FaultProxy[];
/** The calls of the commands to AWS, and which of them fails. */
let calls = 0;
let failingCall: number | undefined;
beforeAll(async () => {
  emulators = await startEmulators();
  s3 = newS3Client();
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const queue = await emulators.sqs.send(new CreateQueueCommand({ QueueName: 'dead-letters' }));
  deadLetterQueueUrl = queue.QueueUrl ?? '';
  const fault = () => (++calls === failingCall ? 'refuse' : undefined);
  const [queues, tables] = await Promise.all([
    faultProxy(emulators.sqsEndpoint, fault),
    faultProxy(emulators.dynamodbEndpoint, fault),
  ]);
  proxies = [queues, tables];
  stage = await deployedStage(
    {
      outputs: {
        WebhookUrl: 'https://example.com/voice/webhooks/vss',
        AuthorizationSecretArn: 'arn',
        QueueUrl: 'none',
        DeadLetterQueueUrl: new URL(new URL(deadLetterQueueUrl).pathname, queues.url).href,
        TableName: emulators.tableName,
        SubAccountIds: '8x8_test',
        RegistrationFunctionName: 'registration',
        WebhookFunctionName: 'webhook',
        AlarmTopicArn: 'arn',
        ExportBucketName: BUCKET,
        ExportRetentionDays: '30',
      },
      endpoints: { sqs: queues.url, dynamodb: tables.url },
    },
    { AWS_ENDPOINT_URL_S3: queues.url },
  );
});
afterAll(async () => {
  s3.destroy();
  await stage[Symbol.asyncDispose]();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await emulators.stop();
});

function newS3Client(): S3Client {
  const settings = { region: REGION, credentials: CREDENTIALS, endpoint: emulators.sqsEndpoint };
  return new S3Client({ ...settings, forcePathStyle: true });
}

const erase = (args: readonly string[], options: VssWebhookOptions = {}) =>
  vssWebhook(['erase', '--stage', 'prod', ...args], { env: stage.environment, ...options });

let sessions = 0;
const newSession = () => `erase-${++sessions}`;

/** A call of an own day, so that tests do not share objects of charges. */
const bodyOf = (sessionId: string, source = NUMBER, others: object = {}) =>
  summaryBody({
    ...others,
    sessionId,
    sessionStatus: 'BUSY',
    startTime: `${DAY}T23:59:00Z`,
    endTime: '2026-01-14T00:01:00Z',
    details: { callA: { source, destination: OTHER } },
  });

async function record(sessionId: string, source?: string, others?: object): Promise<void> {
  const summary = receivedSummary(summaryOf(bodyOf(sessionId, source, others)), '2026-01-14T00:01:05.000Z');
  await sessionTable(emulators.dynamodb, emulators.tableName, 30).add(newRecord(summary));
}

async function deadLetter(body: string): Promise<void> {
  const delivery = { body, receivedAt: '2026-01-14T00:01:05.000Z', requestId: 'r' };
  const message = toMessage(delivery, { reason: 'recording-failed' });
  await emulators.sqs.send(new SendMessageCommand({ QueueUrl: deadLetterQueueUrl, ...message }));
}

const key = (day: string) => `charges/${day}/8x8_test.json.gz`;

async function putCharges(day: string, ...sessionIds: string[]): Promise<void> {
  const lines = sessionIds.map((SessionId) => `${JSON.stringify({ SessionId, SourceEndpoint: NUMBER })}\n`);
  const object = { Bucket: BUCKET, Key: key(day), Metadata: { rows: String(lines.length) } };
  await s3.send(new PutObjectCommand({ ...object, Body: gzipSync(lines.join('')) }));
}

/** The sessions in an object of charges, and the number of rows that it states. */
async function charges(day: string): Promise<[sessionIds: string[], rows: string | undefined]> {
  const { Body, Metadata } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key(day) }));
  const text = gunzipSync((await Body?.transformToByteArray()) ?? '').toString();
  const rows = text.split('\n').filter((line) => line !== '');
  return [rows.map((row) => JSON.parse(row).SessionId), Metadata?.['rows']];
}

async function items(): Promise<ReadonlyMap<unknown, Record<string, unknown>>> {
  const { Items = [] } = await emulators.dynamodb.send(
    new ScanCommand({ TableName: emulators.tableName, ConsistentRead: true }),
  );
  return new Map(Items.map(fromItem).map((item) => [item['sessionId'], item]));
}

beforeEach(async () => {
  for (const item of (await items()).keys())
    await emulators.dynamodb.send(
      new DeleteItemCommand({ TableName: emulators.tableName, Key: toItem({ sessionId: item }) }),
    );
  await emulators.sqs.send(new PurgeQueueCommand({ QueueUrl: deadLetterQueueUrl }));
  for (const day of [DAY, '2026-01-14', '2026-03-01']) await putCharges(day);
});

describe('npx vss-webhook erase', () => {
  it('replaces records by tombstones, deletes their dead letters and charges, and names the copies that remain', async () => {
    const [erased, kept] = [newSession(), newSession()];
    await Promise.all([record(erased), record(kept), deadLetter(bodyOf(erased)), deadLetter(bodyOf(kept))]);
    await putCharges(DAY, erased, kept, erased);
    await putCharges('2026-01-14', erased);

    const { code, stdout } = await erase([erased, '--yes']);

    expect(code).toBe(0);
    expect(stdout).toContain(
      `${erased}  2026-01-13T23:59:00.000Z  8x8_test  BUSY  +********67 → +********32`,
    );
    expect(stdout).toContain('Erased 1 session, 1 dead letter and 3 rows of charges.');
    const date = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    expect(stdout).toContain(`no session can be identified, until ${date(14)}`);
    expect(stdout).toContain(`the backups of ${emulators.tableName}, until ${date(35)}`);
    expect(stdout).toContain(`in s3://exports/exports/, until ${date(32)}`);
    const after = await items();
    expect(after.get(erased)).toEqual({ sessionId: erased, erasedAt: expect.stringMatching(/^20.*Z$/) });
    expect(await readRecords(emulators)).toEqual([
      expect.objectContaining({ sessionId: kept, sessionStatus: 'BUSY' }),
    ]);
    expect(await charges(DAY)).toEqual([[kept], '1']);
    expect(await charges('2026-01-14')).toEqual([[], '0']);
    await expect.poll(() => queueDepth(emulators.sqs, deadLetterQueueUrl)).toBe(1);
  });

  it('finds the sessions of a number, states first what that costs, and shows them masked', async () => {
    const [first, second, other] = [newSession(), newSession(), newSession()];
    await Promise.all([record(first), record(second, '+65 9123 4567'), record(other, OTHER)]);

    const { code, stdout } = await erase(['--number', NUMBER, '--yes']);

    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Finding .* reads the whole table: \d+ records of .* MB .* costs about \$0\.00\.$/m,
    );
    expect(stdout).toContain('Erased 2 sessions');
    expect(stdout).not.toMatch(/9123.?4567/);
    const after = await items();
    expect([first, second].map((id) => Object.keys(after.get(id) ?? {}))).toEqual([
      ['sessionId', 'erasedAt'],
      ['sessionId', 'erasedAt'],
    ]);
    expect(after.get(other)).toHaveProperty('digest');
    expect((await erase(['--number', NUMBER, '--yes'])).stdout).toContain(
      'No session in the table has this number.',
    );
  });

  it('finds a session whose id is given in another spelling than that of the table', async () => {
    const id = 'ab12cd34-0000-4000-8000-000000000001';
    await record(id);

    const { stdout } = await erase([`{${id.toUpperCase()}}`, '--dry-run']);

    expect(stdout).toContain(`${id}  2026-01-13`);
  });

  it('erases every spelling of an id that the table has', async () => {
    const id = 'ab12cd34-0000-4000-8000-000000000002';
    await Promise.all([record(id), record(id.toUpperCase())]);

    const { stdout } = await erase([id, '--yes']);

    expect(stdout).toContain('Erased 2 sessions');
    const after = await items();
    expect(after.get(id)).not.toHaveProperty('digest');
    expect(after.get(id.toUpperCase())).not.toHaveProperty('digest');
  });

  it.each(['9999-99-99T', '9999-12-31T', '0000-00-00T'])(
    'deletes the charges of a session whose summary also has the time %s',
    async (note) => {
      const erased = newSession();
      await record(erased, NUMBER, { note });
      await putCharges(DAY, erased, 'other');

      const { code } = await erase([erased, '--yes']);

      expect([code, await charges(DAY)]).toEqual([0, [['other'], '1']]);
    },
  );

  it('deletes the charges of a session beside rows with line separators of Unicode', async () => {
    const erased = newSession();
    await record(erased);
    await putCharges(DAY, erased, 'a\u2028b');

    const { code } = await erase([erased, '--yes']);

    expect([code, await charges(DAY)]).toEqual([0, [['a\u2028b'], '1']]);
  });

  it('leaves a tombstone for a session that is not in the table, and searches all charges for it', async () => {
    const expired = newSession();
    await putCharges('2026-03-01', expired, 'other');

    const { code, stdout } = await erase([expired, '--yes']);

    expect(code).toBe(0);
    expect(stdout).toContain(`${expired}  not in the table`);
    expect((await items()).get(expired)).toHaveProperty('erasedAt');
    expect(await charges('2026-03-01')).toEqual([['other'], '1']);
  });

  it('reads charges again that reconciliation replaces meanwhile', async () => {
    await putCharges(DAY, 'erased', 'before');
    const client = newS3Client();
    let isReplaced = false;
    client.middlewareStack.add((next, { commandName }) => async (request) => {
      if (commandName !== 'PutObjectCommand' || isReplaced) return next(request);
      isReplaced = true;
      expect(request.input).toHaveProperty('IfMatch', expect.stringMatching(/^".+"$/));
      await putCharges(DAY, 'erased', 'before', 'after');
      throw Object.assign(new Error('replaced'), { name: 'PreconditionFailed' });
    });
    const session = { sessionId: 'erased', line: '', charges: undefined };
    const options = { onProgress: () => {}, signal: new AbortController().signal };

    expect(await eraseCharges(client, BUCKET, [session], options)).toBe(1);
    expect(await charges(DAY)).toEqual([['before', 'after'], '2']);
  });

  it('names the object whose rows it cannot read', async () => {
    const session = newSession();
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key(DAY), Body: 'damaged' }));

    const { code, stderr } = await erase([session, '--yes']);

    expect(code).toBe(1);
    expect(stderr).toContain(
      `The rows in s3://${BUCKET}/${key(DAY)} cannot be erased (incorrect header check)`,
    );
    expect((await items()).get(session)).toHaveProperty('erasedAt');
  });

  it('keeps the time of the first erasure when it is repeated', async () => {
    const session = newSession();
    await record(session);
    await erase([session, '--yes']);
    const first = (await items()).get(session);

    await erase([session, '--yes']);

    expect((await items()).get(session)).toEqual(first);
  });

  it('changes nothing with --dry-run', async () => {
    const session = newSession();
    await record(session);
    const before = await items();

    const { code, stdout } = await erase([session, '--dry-run']);

    expect(code).toBe(0);
    expect(stdout).toContain('1 session. Nothing was erased (--dry-run).');
    expect(await items()).toEqual(before);
  });

  it('changes nothing without a terminal to confirm it, or --yes', async () => {
    const session = newSession();
    await record(session);

    const { code, stderr } = await erase([session]);

    expect(code).toBe(2);
    expect(stderr).toContain('Add --yes to skip the confirmation');
    expect((await items()).get(session)).toHaveProperty('digest');
  });

  it('completes the erasure when it is repeated after a failure of any of its calls', async () => {
    const session = newSession();
    await record(session);
    await deadLetter(bodyOf(session));
    await putCharges(DAY, session, 'other');
    const codes: number[] = [];

    // The calls before only read the table.
    for (let failing = 10; codes.at(-1) !== 0; failing++) {
      calls = 0;
      failingCall = failing;
      codes.push((await erase(['--number', NUMBER, '--yes'])).code);
      if (codes.length === 2)
        expect(Object.keys((await items()).get(session) ?? {})).not.toContain('revision');
    }
    failingCall = undefined;

    expect(codes.length).toBeGreaterThan(5);
    expect((await items()).get(session)).toEqual({ sessionId: session, erasedAt: expect.any(String) });
    expect(await charges(DAY)).toEqual([['other'], '1']);
    expect(await queueDepth(emulators.sqs, deadLetterQueueUrl)).toBe(0);
  });

  it('takes a session out of the index, the retention and the reach of other writers before it deletes anything', async () => {
    const session = newSession();
    await record(session);
    const table = new SessionItems(emulators.dynamodb, emulators.tableName);

    await table.mark(session);

    const { erasedAt, digest, ...marked } = (await items()).get(session) ?? {};
    expect([typeof erasedAt, typeof digest]).toEqual(['string', 'string']);
    for (const name of ['revision', 'expiresAt', 'unsuccessfulIn', 'unsuccessfulAt', 'event'])
      expect(marked).not.toHaveProperty(name);
  });

  it('keeps the records until another reader of the dead-letter queue has released its messages', async () => {
    const session = newSession();
    await record(session);
    await deadLetter(bodyOf(session));
    const { Messages: [message] = [] } = await emulators.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: deadLetterQueueUrl, VisibilityTimeout: 600, WaitTimeSeconds: 1 }),
    );

    const first = await erase([session, '--yes']);

    expect(first).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('About 1 dead letter could not be read'),
    });
    expect((await items()).get(session)).toMatchObject({
      erasedAt: expect.any(String),
      digest: expect.any(String),
    });
    await emulators.sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: deadLetterQueueUrl,
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
    expect((await erase([session, '--yes'])).stdout).toContain('1 dead letter');
  });

  it.each([
    [[], 'Name sessions by id, or a phone number with --number'],
    [[''], 'A session id is empty'],
    [['--number', '12'], 'Invalid --number "12"'],
  ])('refuses the arguments %j', async (args, message) => {
    const { code, stderr } = await erase(args);

    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
