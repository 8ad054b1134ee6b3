import {
  DescribeExportCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type ExportDescription,
  type ExportSummary,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeInput,
  ListExportsCommand,
} from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../client-settings.ts';
import type { DueExport, TableExport } from './due-exports.ts';

/** The exports of a table into the bucket that analysts query. */
export interface TableExports {
  /** The exports, the latest request first, back to those that the newest complete full one makes superfluous. */
  list(): Promise<ListedExport[]>;
  /** @param attempt Distinguishes a retry after a failed export from a repeated request, which has no effect. */
  start(due: DueExport, attempt: string): Promise<unknown>;
  /** When the table was created. */
  tableCreated(): Promise<Date>;
}

export interface ListedExport extends TableExport {
  arn: string;
  failure: Pick<ExportDescription, 'FailureCode' | 'FailureMessage'>;
}

export interface ExportDestination {
  tableArn: string;
  bucket: string;
  /** Prefix of all exports that count, such as `exports/`. */
  prefix: string;
  /** Undefined for encryption with a key of S3. */
  keyArn: string | undefined;
}

/** How many exports are described, in one request each. Others may export the same table, to their own buckets. */
const MAX_DESCRIBED = 1_000;

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html */
export function tableExports(client: DynamoDBClient, destination: ExportDestination): TableExports {
  const { tableArn, bucket, prefix, keyArn } = destination;

  async function listSummaries(): Promise<ExportSummary[]> {
    const summaries: ExportSummary[] = [];
    let nextToken: string | undefined;
    do {
      const page = new ListExportsCommand({ TableArn: tableArn, MaxResults: 25, NextToken: nextToken });
      const { ExportSummaries = [], NextToken } = await withDeadline(client.send(page));
      summaries.push(...ExportSummaries);
      nextToken = NextToken;
    } while (nextToken);
    return summaries.toSorted((a, b) => (`${a.ExportArn}` > `${b.ExportArn}` ? -1 : 1));
  }

  return {
    async list() {
      const listed: ListedExport[] = [];
      let shown = 0;
      for (const { ExportArn: arn = '' } of (await listSummaries()).slice(0, MAX_DESCRIBED)) {
        // An export shows a time before its request.
        if (requestTimeOf(arn) <= shown) break;
        const command = new DescribeExportCommand({ ExportArn: arn });
        const { ExportDescription: description = {} } = await withDeadline(client.send(command));
        if (description.S3Bucket !== bucket || !isQueried(description, prefix)) continue;
        const each = listedExport(arn, description);
        listed.push(each);
        if (each.type === 'full' && each.status === 'complete') shown = Math.max(shown, each.to);
      }
      return listed;
    },

    start(due, attempt) {
      const common = {
        TableArn: tableArn,
        S3Bucket: bucket,
        ...(keyArn === undefined
          ? { S3SseAlgorithm: 'AES256' as const }
          : { S3SseAlgorithm: 'KMS' as const, S3SseKmsKeyId: keyArn }),
        ExportFormat: 'DYNAMODB_JSON' as const,
      };
      const specific = requestOf(due, prefix);
      const ClientToken = `${specific.S3Prefix}/${attempt}`;
      const command = new ExportTableToPointInTimeCommand({ ...common, ...specific, ClientToken });
      return withDeadline(client.send(command));
    },

    async tableCreated() {
      const TableName = tableArn.slice(tableArn.indexOf('/') + 1);
      const { Table } = await withDeadline(client.send(new DescribeTableCommand({ TableName })));
      if (!Table?.CreationDateTime) throw new Error(`DynamoDB reports no creation time of ${TableName}`);
      return Table.CreationDateTime;
    },
  };
}

const HOUR = String.raw`\d{4}-\d\d-\d\dT\d\dZ`;
const FOLDERS = {
  FULL_EXPORT: new RegExp(`^${HOUR}/?$`),
  INCREMENTAL_EXPORT: new RegExp(`^changes/${HOUR}/since-`),
} as const;

/** Whether Athena finds the export: it reads only the folders that `requestOf` names. */
function isQueried(
  { ExportType = 'FULL_EXPORT', S3Prefix = '' }: ExportDescription,
  prefix: string,
): boolean {
  return S3Prefix.startsWith(prefix) && FOLDERS[ExportType].test(S3Prefix.slice(prefix.length));
}

/** The last part of an ARN starts with the time of the request, in milliseconds since 1970. */
const requestTimeOf = (arn: string) => Number.parseInt(arn.slice(arn.lastIndexOf('/') + 1), 10);

const STATUSES = { COMPLETED: 'complete', FAILED: 'failed', IN_PROGRESS: 'running' } as const;

function listedExport(
  arn: string,
  {
    ExportStatus = 'IN_PROGRESS',
    ExportType,
    ExportTime,
    StartTime,
    IncrementalExportSpecification: { ExportFromTime, ExportToTime } = {},
    FailureCode,
    FailureMessage,
  }: ExportDescription,
): ListedExport {
  const status = STATUSES[ExportStatus];
  const failure = { FailureCode, FailureMessage };
  if (ExportType !== 'INCREMENTAL_EXPORT')
    return { arn, type: 'full', status, to: (ExportTime ?? StartTime)?.getTime() ?? 0, failure };
  const from = ExportFromTime?.getTime();
  return {
    arn,
    type: 'incremental',
    status,
    ...(from !== undefined && { from }),
    to: ExportToTime?.getTime() ?? 0,
    failure,
  };
}

function requestOf(due: DueExport, prefix: string): Partial<ExportTableToPointInTimeInput> {
  const time = new Date(due.to);
  if (due.type === 'full') return { S3Prefix: `${prefix}${hourOf(due.to)}`, ExportTime: time };
  return {
    S3Prefix: `${prefix}changes/${hourOf(due.to)}/since-${hourOf(due.from)}`,
    ExportType: 'INCREMENTAL_EXPORT',
    IncrementalExportSpecification: {
      ExportFromTime: new Date(due.from),
      ExportToTime: time,
      ExportViewType: 'NEW_IMAGE',
    },
  };
}

/** Such as `2026-11-21T02Z`: without colons, which file names on Windows must not have. */
const hourOf = (time: number) => `${new Date(time).toISOString().slice(0, 'YYYY-MM-DDTHH'.length)}Z`;
