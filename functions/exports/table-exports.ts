import {
  DescribeExportCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type ExportDescription,
  type ExportSummary,
  ListExportsCommand,
} from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../client-settings.ts';

/** The exports of a table to S3, which DynamoDB lists for 90 days. */
export interface TableExports {
  list(): Promise<ExportSummary[]>;
  describe(exportArn: string): Promise<ExportDescription>;
  /** When the table was created. */
  tableCreated(): Promise<Date>;
}

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html */
export function tableExports(client: DynamoDBClient, tableArn: string): TableExports {
  const tableName = tableArn.slice(tableArn.indexOf('/') + 1);
  return {
    async list() {
      const summaries: ExportSummary[] = [];
      let nextToken: string | undefined;
      do {
        const page = new ListExportsCommand({ TableArn: tableArn, MaxResults: 25, NextToken: nextToken });
        const { ExportSummaries = [], NextToken } = await withDeadline(client.send(page));
        summaries.push(...ExportSummaries);
        nextToken = NextToken;
      } while (nextToken);
      return summaries;
    },

    async describe(exportArn) {
      const command = new DescribeExportCommand({ ExportArn: exportArn });
      return (await withDeadline(client.send(command))).ExportDescription ?? {};
    },

    async tableCreated() {
      const { Table } = await withDeadline(client.send(new DescribeTableCommand({ TableName: tableName })));
      if (!Table?.CreationDateTime) throw new Error(`DynamoDB returned no creation time for ${tableName}`);
      return Table.CreationDateTime;
    },
  };
}
