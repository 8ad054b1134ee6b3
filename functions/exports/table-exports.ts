import {
  DescribeExportCommand,
  type DynamoDBClient,
  type ExportDescription,
  type ExportSummary,
  ListExportsCommand,
} from '@aws-sdk/client-dynamodb';
import { inTime } from '../client-settings.ts';

/** The exports of a table to S3, which DynamoDB lists for 90 days. */
export interface TableExports {
  list(): Promise<ExportSummary[]>;
  describe(exportArn: string): Promise<ExportDescription>;
}

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html */
export function tableExports(client: DynamoDBClient, tableArn: string): TableExports {
  return {
    async list() {
      const summaries: ExportSummary[] = [];
      let nextToken: string | undefined;
      do {
        const page = await inTime(
          client.send(
            new ListExportsCommand({
              TableArn: tableArn,
              MaxResults: 25,
              ...(nextToken && { NextToken: nextToken }),
            }),
          ),
        );
        summaries.push(...(page.ExportSummaries ?? []));
        nextToken = page.NextToken;
      } while (nextToken);
      return summaries;
    },

    async describe(exportArn) {
      const { ExportDescription = {} } = await inTime(
        client.send(new DescribeExportCommand({ ExportArn: exportArn })),
      );
      return ExportDescription;
    },
  };
}
