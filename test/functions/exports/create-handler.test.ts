import { DynamoDBClient, type ExportDescription } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../../functions/exports/create-handler.ts';
import { tableExports } from '../../../functions/exports/table-exports.ts';
import { telemetry } from '../telemetry.ts';

const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/sessions';
const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-26T12:30:00Z');
const ago = (hours: number) => new Date(NOW - hours * HOUR);

/** An export that was requested some hours ago. It shows the table as it was then, unless described otherwise. */
interface Requested extends ExportDescription {
  requested: number;
}

const full = (requested: number, description: ExportDescription = {}): Requested => ({
  requested,
  ExportTime: ago(requested),
  ...description,
});
const incremental = (from: number, to: number, description: Partial<Requested> = {}): Requested => ({
  requested: to,
  ExportType: 'INCREMENTAL_EXPORT',
  IncrementalExportSpecification: { ExportFromTime: ago(from), ExportToTime: ago(to) },
  ...description,
});

const unknownStart = incremental(58, 34, { IncrementalExportSpecification: { ExportToTime: ago(34) } });
/** One failed export in each of the last fifty hours. */
const failures = Array.from({ length: 50 }, (_, i) =>
  incremental(58, 34, { ExportStatus: 'FAILED', requested: 50.5 - i }),
);

/** One export to the bucket of somebody else in each of the last fifty hours. */
const others = Array.from({ length: 50 }, (_, i) => full(50.5 - i, { S3Bucket: 'other' }));

interface Circumstances {
  /** Names of the errors with which DynamoDB rejects the next requests for an export. */
  rejections?: string[];
  keyArn?: string;
}

/** Runs the function when DynamoDB has these exports, which it lists two at a time. */
async function run(exports: readonly Requested[], { rejections = [], keyArn }: Circumstances = {}) {
  const described = new Map<string, ExportDescription>(
    exports.map(({ requested, ...description }) => {
      const ExportArn = `${TABLE_ARN}/export/0${ago(requested).getTime()}-abcdef`;
      const common = {
        ExportArn,
        S3Bucket: 'bucket',
        S3Prefix:
          description.ExportType === undefined
            ? 'exports/2026-11-26T02Z'
            : 'exports/changes/2026-11-26T02Z/since-2026-11-25T02Z',
        ExportStatus: 'COMPLETED' as const,
      };
      return [ExportArn, { ...common, ...description }];
    }),
  );
  const started: Record<string, unknown>[] = [];
  const client = new DynamoDBClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const answer = (output: object) => ({ output: { $metadata: {}, ...output }, response: {} });
  client.middlewareStack.add((_, { commandName }) => async ({ input }: { input: object }) => {
    if (commandName === 'DescribeExportCommand')
      return answer({ ExportDescription: 'ExportArn' in input && described.get(String(input.ExportArn)) });
    if (commandName === 'DescribeTableCommand') {
      expect(input).toEqual({ TableName: 'sessions' });
      return answer({ Table: { CreationDateTime: ago(100) } });
    }
    expect(input).toMatchObject({ TableArn: TABLE_ARN });
    if (commandName === 'ExportTableToPointInTimeCommand') {
      started.push({ ...input });
      const name = rejections.shift();
      if (name !== undefined) throw Object.assign(new Error('rejected'), { name });
      return answer({});
    }
    const from = 'NextToken' in input && input.NextToken ? Number(input.NextToken) : 0;
    const NextToken = from + 2 < described.size ? String(from + 2) : undefined;
    return answer({ ExportSummaries: [...described.values()].slice(from, from + 2), NextToken });
  });
  const { logger, metrics, ...observed } = telemetry();
  const destination = { tableArn: TABLE_ARN, bucket: 'bucket', prefix: 'exports/', keyArn };
  await createHandler({
    exports: tableExports(client, destination),
    schedule: { hour: 2, fullExportDays: 7 },
    now: () => NOW,
    logger,
    metrics,
  })();
  return { ...observed, started };
}

describe('the age of the exported data', () => {
  it.each<[condition: string, exports: Requested[], hours: number]>([
    ['of the newest full export', [full(58), full(34), full(10)], 10],
    ['without exports that are not complete', [full(34), full(1, { ExportStatus: 'IN_PROGRESS' })], 34],
    [
      'of the latest point in time, not of the latest request',
      [full(10), full(1, { ExportTime: ago(200) })],
      10,
    ],
    ['of the changes that follow the full export', [full(58), incremental(58, 34), incremental(34, 10)], 10],
    ['up to the first gap in the changes', [full(58), incremental(33, 10)], 58],
    ['up to changes whose export failed', [full(34), incremental(34, 10, { ExportStatus: 'FAILED' })], 34],
    ['of the table, if there is no export', [], 100],
    ['of the table, if no export is complete', [full(30, { ExportStatus: 'FAILED' })], 100],
    ['of the table, if all exports are in another bucket', [full(1, { S3Bucket: 'former' })], 100],
    ['of the table, if all exports are those of a smoke test', [full(1, { S3Prefix: 'results/1' })], 100],
    ['of the table, if Athena does not find its exports', [full(1, { S3Prefix: 'exports/manual' })], 100],
    [
      'of the full export, if Athena does not find the changes',
      [full(58), incremental(58, 34, { S3Prefix: 'exports/2026-11-25T02Z' })],
      58,
    ],
    ['of the full export, if the start of the changes is unknown', [full(58), unknownStart], 58],
    ['of an export that fifty failed ones followed', [full(60), ...failures], 60],
    ['of an export that fifty to other buckets followed', [full(60), ...others], 60],
    ['of the table, if all exports are incremental', [incremental(10, 1)], 100],
  ])('is that %s', async (_, exports, hours) => {
    const { measured, published } = await run(exports);

    expect(measured).toEqual([['ExportAge', 'Seconds', hours * 3_600]]);
    expect(published).toHaveLength(1);
  });
});

describe('the exports function', () => {
  it('starts no export while the day is covered', async () => {
    const { started, counted } = await run([
      full(34.5),
      incremental(34.5, 10.5, { ExportStatus: 'IN_PROGRESS' }),
    ]);

    expect(started).toEqual([]);
    expect(counted).toEqual({ ExportsRefused: 0 });
  });

  it('continues where the last export ended, under a prefix that names the period of the changes', async () => {
    const { started } = await run([full(34.5)]);

    expect(started).toEqual([
      {
        TableArn: TABLE_ARN,
        S3Bucket: 'bucket',
        S3Prefix: 'exports/changes/2026-11-26T02Z/since-2026-11-25T02Z',
        S3SseAlgorithm: 'AES256',
        ExportFormat: 'DYNAMODB_JSON',
        ExportType: 'INCREMENTAL_EXPORT',
        IncrementalExportSpecification: {
          ExportFromTime: new Date('2026-11-25T02:00:00Z'),
          ExportToTime: new Date('2026-11-26T02:00:00Z'),
          ExportViewType: 'NEW_IMAGE',
        },
        ClientToken: 'exports/changes/2026-11-26T02Z/since-2026-11-25T02Z/first',
      },
    ]);
  });

  it('starts with a full export, encrypted with the key of the stack', async () => {
    const { started } = await run([], { keyArn: 'arn:key' });

    expect(started).toEqual([
      {
        TableArn: TABLE_ARN,
        S3Bucket: 'bucket',
        S3Prefix: 'exports/2026-11-26T12Z',
        S3SseAlgorithm: 'KMS',
        S3SseKmsKeyId: 'arn:key',
        ExportFormat: 'DYNAMODB_JSON',
        ExportTime: new Date('2026-11-26T12:00:00Z'),
        ClientToken: 'exports/2026-11-26T12Z/first',
      },
    ]);
  });

  it('retries a failed export with another token', async () => {
    const failed = incremental(34.5, 10.5, { ExportStatus: 'FAILED', FailureCode: 'AccessDenied' });
    const { started, logged } = await run([full(34.5), failed]);

    expect(started).toMatchObject([
      { ClientToken: expect.stringMatching(/since-2026-11-25T02Z\/after-0\d{13}-abcdef$/) },
    ]);
    expect(logged).toMatchObject([
      {
        level: 'warn',
        message: 'The last export failed',
        details: [{ exportArn: expect.stringContaining('/export/0'), FailureCode: 'AccessDenied' }],
      },
    ]);
  });

  it('does not report a failed export that a later one followed', async () => {
    const failed = full(34, { ExportStatus: 'FAILED' });

    for (const exports of [
      [failed, full(10)],
      [full(10), failed],
    ])
      expect((await run(exports)).logged).toEqual([]);
  });

  it('counts and logs an export that DynamoDB refuses to start', async () => {
    const { started, counted, logged, measured, published } = await run([full(34.5)], {
      rejections: ['LimitExceededException'],
    });

    expect(started).toHaveLength(1);
    expect(counted).toEqual({ ExportsRefused: 1 });
    expect(logged).toMatchObject([{ level: 'error', message: 'An export could not be started' }]);
    expect(measured).toHaveLength(1);
    expect(published).toHaveLength(1);
  });

  it('exports the current table once if point-in-time recovery does not cover the changes', async () => {
    const { started, counted, logged } = await run([full(1, { ExportStatus: 'FAILED' }), full(82.5)], {
      rejections: ['InvalidExportTimeException'],
    });

    // It may not cover the end of the changes either.
    expect(started).toMatchObject([
      { ExportType: 'INCREMENTAL_EXPORT' },
      {
        S3Prefix: 'exports/2026-11-26T12Z',
        ExportTime: new Date('2026-11-26T12:00:00Z'),
        ClientToken: expect.stringMatching(/\/after-0\d{13}-abcdef$/),
      },
    ]);
    expect(counted).toEqual({ ExportsRefused: 0 });
    expect(logged.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('not possible') });
  });

  it('exports the current table if point-in-time recovery does not cover the scheduled time', async () => {
    const { started, counted } = await run([full(24 * 8)], { rejections: ['InvalidExportTimeException'] });

    expect(started).toMatchObject([
      { ExportTime: new Date('2026-11-26T02:00:00Z') },
      { ExportTime: new Date('2026-11-26T12:00:00Z') },
    ]);
    expect(counted).toEqual({ ExportsRefused: 0 });
  });

  it('waits for point-in-time recovery if it does not cover the latest hour', async () => {
    const { started, counted } = await run([], { rejections: ['InvalidExportTimeException'] });

    expect(started).toMatchObject([{ ExportTime: new Date('2026-11-26T12:00:00Z') }]);
    expect(counted).toEqual({ ExportsRefused: 1, NoCompleteExport: 1 });
  });
});
