import {
  DescribeExportCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeInput,
  ListExportsCommand,
} from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../client-settings.ts';
import type { DueExport, TableExport } from './due-exports.ts';

/** The exports of a table into the bucket that analysts query. */
export interface TableExports {
  /** The exports of the last weeks, the latest request first. */
  list(): Promise<ListedExport[]>;
  /** @param attempt Distinguishes a retry after a failed export from a repeated request, which has no effect. */
  start(due: DueExport, attempt: number): Promise<unknown>;
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

/** A full export and the daily ones after it are among these. Each takes one request. */
const MAX_DESCRIBED = 50;

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html */
export function tableExports(client: DynamoDBClient, destination: ExportDestination): TableExports {
  const { tableArn, bucket, prefix, keyArn } = destination;

  async function listArns(): Promise<string[]> {
    const arns: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = new ListExportsCommand({ TableArn: tableArn, MaxResults: 25, NextToken: nextToken });
      const { ExportSummaries = [], NextToken } = await withDeadline(client.send(page));
      arns.push(...ExportSummaries.map(({ ExportArn = '' }) => ExportArn));
      nextToken = NextToken;
    } while (nextToken);
    // The last part of an ARN starts with the time of the request.
    return arns.toSorted().toReversed();
  }

  return {
    async list() {
      const listed: ListedExport[] = [];
      for (const arn of (await listArns()).slice(0, MAX_DESCRIBED)) {
        const command = new DescribeExportCommand({ ExportArn: arn });
        const { ExportDescription: description = {} } = await withDeadline(client.send(command));
        if (description.S3Bucket === bucket && description.S3Prefix?.startsWith(prefix))
          listed.push(listedExport(arn, description));
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
  const from = ExportFromTime?.getTime() ?? Number.POSITIVE_INFINITY;
  return { arn, type: 'incremental', status, from, to: ExportToTime?.getTime() ?? 0, failure };
}

function requestOf(due: DueExport, prefix: string): Partial<ExportTableToPointInTimeInput> {
  const time = new Date(due.to);
  if (due.type === 'full') return { S3Prefix: `${prefix}${iso(due.to)}`, ExportTime: time };
  return {
    S3Prefix: `${prefix}changes/${iso(due.to)}/since-${iso(due.from)}`,
    ExportType: 'INCREMENTAL_EXPORT',
    IncrementalExportSpecification: {
      ExportFromTime: new Date(due.from),
      ExportToTime: time,
      ExportViewType: 'NEW_IMAGE',
    },
  };
}

/** Such as `2026-11-21T02:00:00Z`. */
const iso = (time: number) => new Date(time).toISOString().replace(/\.\d+/, '');
