import { randomUUID } from 'node:crypto';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import {
  DescribeExportCommand,
  DescribeTableCommand,
  ExportTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { AwsSettings } from '../../aws/aws-settings.ts';
import { RESULTS_PREFIX } from '../../exports/bucket-prefixes.ts';
import { databaseName } from '../../stack-outputs.ts';
import { encryptionOf, listObjects } from './bucket-objects.ts';
import { inSeconds } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { proved, type Step, type Verdict, wrong } from './step.ts';
import { until } from './until.ts';

/** Where the exports of a stage are, and who queries them. */
export interface Analytics {
  bucket: string;
  workgroup: string;
  aws: AwsSettings;
}

/** How long an export is waited for, which mostly takes some minutes. */
const EXPORT_TIMEOUT_MS = 2 * 3_600_000;

/** How often a progress line is printed. */
const PROGRESS_MS = 60_000;

/** That DynamoDB exports the table to the bucket, and that Athena answers a query. */
export function exportSteps(test: SmokeTest, analytics: Analytics): Step[] {
  return [
    { name: 'export', needs: [], run: (note) => exportTable(test, analytics, note) },
    { name: 'athena', needs: [], run: () => queryAthena(test, analytics) },
  ];
}

async function exportTable(
  { dynamodb, stage, patience, leftovers }: SmokeTest,
  { bucket, aws }: Analytics,
  note: (text: string) => void,
): Promise<Verdict> {
  const s3 = new S3Client(aws);
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: stage.outputs.TableName }));
  // Not among the daily exports, which Athena and `npm run query` look through; and what is left here expires.
  const prefix = `${RESULTS_PREFIX}smoke-${randomUUID()}`;
  const begun = performance.now();
  leftovers.prefixes.add(`${prefix}/`);
  const { ExportDescription } = await dynamodb.send(
    new ExportTableToPointInTimeCommand({
      TableArn: Table?.TableArn,
      S3Bucket: bucket,
      S3Prefix: prefix,
      ExportFormat: 'DYNAMODB_JSON',
      ...(await encryptionOf(s3, bucket)),
    }),
  );
  const ExportArn = ExportDescription?.ExportArn;
  leftovers.runningExport = ExportArn;

  let said = begun;
  const ended = await until(
    async () => {
      const { ExportDescription: now } = await dynamodb.send(new DescribeExportCommand({ ExportArn }));
      if (now?.ExportStatus !== 'IN_PROGRESS') return now;
      if (performance.now() - said > PROGRESS_MS) {
        said = performance.now();
        note(`DynamoDB has been writing for ${inSeconds(said - begun)}`);
      }
      return undefined;
    },
    { ...patience, timeoutMs: EXPORT_TIMEOUT_MS, maxPauseMs: 10_000 },
  );
  if (!ended) return wrong(`DynamoDB has not finished within ${inSeconds(EXPORT_TIMEOUT_MS)}: ${ExportArn}`);
  leftovers.runningExport = undefined;
  if (ended.ExportStatus !== 'COMPLETED')
    return wrong(`${ended.ExportStatus}: ${ended.FailureCode} ${ended.FailureMessage}`);
  const objects = await listObjects(s3, bucket, `${prefix}/`);
  if (!objects.some(({ Key }) => Key === ended.ExportManifest))
    return wrong(`DynamoDB has finished, but s3://${bucket}/${ended.ExportManifest} is missing`);
  const waited = inSeconds(performance.now() - begun);
  return proved(`DynamoDB exported ${ended.ItemCount} records to s3://${bucket}/${prefix} in ${waited}`);
}

async function queryAthena(
  { stage, patience, leftovers }: SmokeTest,
  { workgroup, aws }: Analytics,
): Promise<Verdict> {
  const athena = new AthenaClient(aws);
  const { QueryExecutionId = '' } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString: 'SELECT count(*) FROM sessions',
      QueryExecutionContext: { Database: databaseName(stage.stackName) },
      WorkGroup: workgroup,
    }),
  );
  leftovers.prefixes.add(`${RESULTS_PREFIX}${QueryExecutionId}`);
  const ended = await until(async () => {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    return isRunning(QueryExecution?.Status?.State) ? undefined : QueryExecution;
  }, patience);
  if (!ended) {
    await athena.send(new StopQueryExecutionCommand({ QueryExecutionId }));
    return wrong(`no answer within ${inSeconds(patience.timeoutMs)}, so the query was stopped`);
  }
  const { State, StateChangeReason } = ended.Status ?? {};
  if (State !== 'SUCCEEDED') return wrong(`the query ${State}: ${StateChangeReason}`);
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
  // The first row has the names of the columns.
  const count = ResultSet?.Rows?.[1]?.Data?.[0]?.VarCharValue;
  if (count === undefined) return wrong('the query has no result');
  const hint = count === '0' ? ', as it is before the first daily export' : '';
  return proved(`the workgroup ${workgroup} counts ${count} sessions in the newest daily export${hint}`);
}

const isRunning = (state: string | undefined) => state === 'QUEUED' || state === 'RUNNING';
