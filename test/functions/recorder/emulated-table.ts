import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { sessionTable, storedRecords } from '../../../functions/recorder/session-table.ts';
import { tableDefinition } from './table-definition.ts';

/** A running DynamoDB emulator. */
export interface Emulator {
  endpoint: string;
  stop(): Promise<unknown>;
}

/** Creates a session table in the DynamoDB emulator at this URL. */
export async function emulatedTable(endpoint: string) {
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const TableName = `sessions-${randomUUID()}`;
  await client.send(new CreateTableCommand({ TableName, ...tableDefinition }));

  const requests: string[] = [];
  client.middlewareStack.add(
    (next, { commandName }) =>
      (request) => {
        requests.push(String(commandName).replace(/Command$/, ''));
        return next(request);
      },
    // Inside the SDK's retry loop, so that each attempt is counted.
    { step: 'finalizeRequest', priority: 'low' },
  );
  return {
    name: TableName,
    table: sessionTable(client, TableName),
    stored: storedRecords(client, TableName),
    /** The same table with a retention. `time` replaces the current time. */
    expiring: (retentionDays: number, time?: string) =>
      sessionTable(client, TableName, retentionDays, time === undefined ? Date.now : () => Date.parse(time)),
    /** The DynamoDB operations requested so far, including retries. */
    requests,
    async items() {
      const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
      return Items.map(fromItem);
    },
    /** The unsuccessful sessions of a sub-account, from the index. */
    async unsuccessfulIn(subAccountId: string) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName,
          IndexName: 'unsuccessful-sessions',
          KeyConditionExpression: 'unsuccessfulIn = :subAccountId',
          ExpressionAttributeValues: { ':subAccountId': { S: subAccountId } },
        }),
      );
      return Items.map(fromItem);
    },
    /** Puts an item that need not be a record. */
    async put(attributes: object) {
      await client.send(new PutItemCommand({ TableName, Item: toItem(attributes) }));
    },
    /** Deletes an item by mistake. */
    async lose(sessionId: string) {
      await client.send(new DeleteItemCommand({ TableName, Key: toItem({ sessionId }) }));
    },
    async stop() {
      client.destroy();
    },
  };
}
