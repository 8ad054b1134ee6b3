import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { sessionTable } from '../../../functions/recorder/session-table.ts';
import { tableDefinition } from './table-definition.ts';

/** An emulator of DynamoDB that runs. */
export interface Emulator {
  /** Its URL. */
  endpoint: string;
  stop(): Promise<unknown>;
}

/** A new table of sessions, in the emulator of DynamoDB at this URL. */
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
    // After the SDK's own retries, so that each is seen.
    { step: 'finalizeRequest', priority: 'low' },
  );
  return {
    table: sessionTable(client, TableName),
    /** The same table, whose records expire; the time is now, or another one. */
    expiring: (retentionDays: number, time?: string) =>
      sessionTable(client, TableName, retentionDays, time === undefined ? Date.now : () => Date.parse(time)),
    /** The DynamoDB operations requested so far, as they go out on the wire. */
    requests,
    async items() {
      const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
      return Items.map(fromItem);
    },
    /** What the index has of the sessions of a sub-account that were not successful. */
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
    /** Puts an item as it is. */
    async put(attributes: object) {
      await client.send(new PutItemCommand({ TableName, Item: toItem(attributes) }));
    },
    async stop() {
      client.destroy();
    },
  };
}
