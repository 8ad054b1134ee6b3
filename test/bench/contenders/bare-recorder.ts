import { type AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

/** The least that a recorder can be: PutItem of items that somebody has made, and nothing else. */

const dynamodb = new DynamoDBClient();

export async function handler({ items }: { items: Record<string, AttributeValue>[] }): Promise<object> {
  await Promise.all(
    items.map((Item) => dynamodb.send(new PutItemCommand({ TableName: process.env['TABLE_NAME'], Item }))),
  );
  return {};
}
