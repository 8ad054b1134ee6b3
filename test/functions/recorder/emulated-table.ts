import { once } from 'node:events';
import type { Server } from 'node:http';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';

import dynalite from 'dynalite';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { sessionTable } from '../../../functions/recorder/session-table.ts';

/** An emulated DynamoDB with the table of sessions. */
export async function emulatedTable() {
  const server: Server = dynalite({ createTableMs: 0 });
  const requests: string[] = [];
  server.prependListener('request', (request) =>
    requests.push(String(request.headers['x-amz-target']).split('.')[1] ?? ''),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(
    new CreateTableCommand({
      TableName: 'sessions',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'sessionId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'sessionId', KeyType: 'HASH' }],
    }),
  );
  requests.length = 0;
  return {
    table: sessionTable(client, 'sessions'),
    /** The same table, whose records expire. */
    expiring: (retentionDays: number) => sessionTable(client, 'sessions', retentionDays),
    /** The DynamoDB operations requested so far, as they arrived on the wire. */
    requests,
    async items() {
      const { Items = [] } = await client.send(
        new ScanCommand({ TableName: 'sessions', ConsistentRead: true }),
      );
      return Items.map(fromItem);
    },
    /** Puts an item as it is. */
    async put(attributes: object) {
      await client.send(new PutItemCommand({ TableName: 'sessions', Item: toItem(attributes) }));
    },
    async stop() {
      client.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
