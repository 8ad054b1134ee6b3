import {
  DynamoDBClient,
  type ExportDescription,
  type ExportStatus,
  type ExportType,
} from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { createHandler } from '../../../functions/exports/create-handler.ts';
import { tableExports } from '../../../functions/exports/table-exports.ts';
import { telemetry } from '../telemetry.ts';

const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/sessions';
const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-26T12:00:00Z');

interface Export {
  status: ExportStatus;
  /** The time of the request, in hours ago. */
  requested: number;
  /** The exported point in time, in hours ago. Default: the time of the request. */
  shows?: number;
  bucket?: string;
  prefix?: string;
  type?: ExportType;
}

/** Runs the handler with these exports in DynamoDB, which lists two per page. */
async function measured(exports: readonly Export[]) {
  const described = new Map<string, ExportDescription>(
    exports.map(
      ({
        status,
        requested,
        shows = requested,
        bucket = 'bucket',
        prefix = 'exports/2026',
        type = 'FULL_EXPORT',
      }) => {
        const start = NOW - requested * HOUR;
        const arn = `${TABLE_ARN}/export/0${start}-abcdef`;
        return [
          arn,
          {
            ExportArn: arn,
            ExportStatus: status,
            StartTime: new Date(start),
            ExportTime: new Date(NOW - shows * HOUR),
            ExportType: type,
            S3Bucket: bucket,
            S3Prefix: prefix,
            ...(status === 'FAILED' && { FailureCode: 'AccessDenied', FailureMessage: 'No permission' }),
          },
        ];
      },
    ),
  );
  const client = new DynamoDBClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  client.middlewareStack.add(() => async ({ input }) => {
    if ('ExportArn' in input)
      return {
        output: { $metadata: {}, ExportDescription: described.get(String(input.ExportArn)) },
        response: {},
      };
    if ('TableName' in input && input.TableName === 'sessions')
      return {
        output: { $metadata: {}, Table: { CreationDateTime: new Date(NOW - 100 * HOUR) } },
        response: {},
      };
    expect(input).toMatchObject({ TableArn: TABLE_ARN });
    const from = 'NextToken' in input && input.NextToken ? Number(input.NextToken) : 0;
    const NextToken = from + 2 < described.size ? String(from + 2) : undefined;
    const output = {
      $metadata: {},
      ExportSummaries: [...described.values()].slice(from, from + 2),
      NextToken,
    };
    return { output, response: {} };
  });
  const { logger, metrics, ...observed } = telemetry();
  await createHandler({
    exports: tableExports(client, TABLE_ARN),
    destination: { bucket: 'bucket', prefix: 'exports/' },
    now: () => NOW,
    logger,
    metrics,
  })();
  return observed;
}

it('measures the age of the data in the newest complete export, across several pages', async () => {
  const {
    measured: metrics,
    published,
    logged,
  } = await measured([
    { status: 'COMPLETED', requested: 58 },
    { status: 'COMPLETED', requested: 34 },
    { status: 'COMPLETED', requested: 10 },
    { status: 'IN_PROGRESS', requested: 0 },
  ]);

  expect(metrics).toEqual([['ExportAge', 'Seconds', 36_000]]);
  expect(published).toHaveLength(1);
  expect(logged).toEqual([]);
});

it('selects the newest export by its point in time, not by the time of its request', async () => {
  const { measured: metrics } = await measured([
    { status: 'COMPLETED', requested: 10 },
    { status: 'COMPLETED', requested: 1, shows: 200 },
  ]);

  expect(metrics).toEqual([['ExportAge', 'Seconds', 36_000]]);
});

it.each<[string, Export[]]>([
  ['no export exists', []],
  [
    'no export is complete',
    [
      { status: 'FAILED', requested: 30 },
      { status: 'IN_PROGRESS', requested: 6 },
    ],
  ],
  ['all exports are in another bucket', [{ status: 'COMPLETED', requested: 1, bucket: 'former' }]],
  ['all exports are from smoke tests', [{ status: 'COMPLETED', requested: 1, prefix: 'results/smoke-1' }]],
  ['all exports are incremental', [{ status: 'COMPLETED', requested: 1, type: 'INCREMENTAL_EXPORT' }]],
])('measures the age of the table when %s', async (_, exports) => {
  const { measured: metrics, published } = await measured(exports);

  expect(metrics).toEqual([['ExportAge', 'Seconds', 360_000]]);
  expect(published).toHaveLength(1);
});

it('logs why an export failed only if it is the last one', async () => {
  const failed: Export = { status: 'FAILED', requested: 5 };

  expect((await measured([{ status: 'COMPLETED', requested: 29 }, failed])).logged).toEqual([
    {
      level: 'warn',
      message: 'The last export failed',
      details: [
        {
          exportArn: expect.stringContaining('/export/0'),
          FailureCode: 'AccessDenied',
          FailureMessage: 'No permission',
        },
      ],
    },
  ]);
  expect((await measured([failed, { status: 'COMPLETED', requested: 4 }])).logged).toEqual([]);
});
