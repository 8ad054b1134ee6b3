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
import { RESULTS_PREFIX } from '../../exports/bucket-prefixes.ts';
import { databaseName } from '../../stack-outputs.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { encryptionOf, listObjects } from './bucket-objects.ts';
import { inSeconds } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { failed, passed, type Step, type Verdict } from './step.ts';
import { until } from './until.ts';

/** The bucket with the exports of a stage, and the Athena workgroup that queries them. */
export interface Analytics {
  bucket: string;
  workgroup: string;
  settings: DeployedStage['settings'];
}

/** How long to wait for an export. Most take some minutes. */
const EXPORT_TIMEOUT_MS = 2 * 3_600_000;

/** The interval between progress lines. */
const PROGRESS_MS = 60_000;

/** Tests that DynamoDB exports the table to the bucket, and that Athena answers a query. */
export function exportSteps(test: SmokeTest, analytics: Analytics): Step[] {
  return [
    { name: 'export', needs: [], run: (note) => exportTable(test, analytics, note) },
    { name: 'athena', needs: [], run: () => queryAthena(test, analytics) },
  ];
}

async function exportTable(
  { dynamodb, stage, waitOptions, leftovers }: SmokeTest,
  { bucket, settings }: Analytics,
  note: (text: string) => void,
): Promise<Verdict> {
  const s3 = new S3Client(settings('s3'));
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: stage.outputs.TableName }));
  // Separate from the daily exports that Athena and `npx vss-webhook query` read. Objects under this prefix expire.
  const prefix = `${RESULTS_PREFIX}smoke-${randomUUID()}`;
  const startedAt = performance.now();
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

  let lastNoteAt = startedAt;
  const ended = await until(
    async () => {
      const { ExportDescription: now } = await dynamodb.send(new DescribeExportCommand({ ExportArn }));
      if (now?.ExportStatus !== 'IN_PROGRESS') return now;
      if (performance.now() - lastNoteAt > PROGRESS_MS) {
        lastNoteAt = performance.now();
        note(`DynamoDB has been exporting for ${inSeconds(lastNoteAt - startedAt)}`);
      }
      return undefined;
    },
    { ...waitOptions, timeoutMs: EXPORT_TIMEOUT_MS, maxPauseMs: 10_000 },
  );
  if (!ended) return failed(`DynamoDB did not finish within ${inSeconds(EXPORT_TIMEOUT_MS)}: ${ExportArn}`);
  leftovers.runningExport = undefined;
  if (ended.ExportStatus !== 'COMPLETED')
    return failed(`${ended.ExportStatus}: ${ended.FailureCode} ${ended.FailureMessage}`);
  const objects = await listObjects(s3, bucket, `${prefix}/`);
  if (!objects.some(({ Key }) => Key === ended.ExportManifest))
    return failed(`the export is complete, but s3://${bucket}/${ended.ExportManifest} is missing`);
  const waited = inSeconds(performance.now() - startedAt);
  return passed(`DynamoDB exported ${ended.ItemCount} records to s3://${bucket}/${prefix} in ${waited}`);
}

async function queryAthena(
  { stage, waitOptions, leftovers }: SmokeTest,
  { workgroup, settings }: Analytics,
): Promise<Verdict> {
  const athena = new AthenaClient(settings('athena'));
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
  }, waitOptions);
  if (!ended) {
    await athena.send(new StopQueryExecutionCommand({ QueryExecutionId }));
    return failed(`stopped the query: no result within ${inSeconds(waitOptions.timeoutMs)}`);
  }
  const { State, StateChangeReason } = ended.Status ?? {};
  if (State !== 'SUCCEEDED') return failed(`the query ${State}: ${StateChangeReason}`);
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
  // The first row contains the column names.
  const count = ResultSet?.Rows?.[1]?.Data?.[0]?.VarCharValue;
  if (count === undefined) return failed('the query has no result');
  const hint = count === '0' ? ' (expected before the first daily export)' : '';
  return passed(
    `the newest daily export has ${count} sessions, queried in the workgroup ${workgroup}${hint}`,
  );
}

const isRunning = (state: string | undefined) => state === 'QUEUED' || state === 'RUNNING';
