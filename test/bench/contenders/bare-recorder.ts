import { type AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

/** A minimal recorder: only PutItem, of prepared items. */

const dynamodb = new DynamoDBClient();

export async function handler({ items }: { items: Record<string, AttributeValue>[] }): Promise<object> {
  await Promise.all(
    items.map((Item) => dynamodb.send(new PutItemCommand({ TableName: process.env['TABLE_NAME'], Item }))),
  );
  return {};
}
