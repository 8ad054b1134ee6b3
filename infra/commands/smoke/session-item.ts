import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { fromItem } from '../../../functions/recorder/item.ts';
import type { Attributes } from './probe.ts';

/** Where the record of a session is. */
export interface Place {
  dynamodb: DynamoDBClient;
  tableName: string;
  sessionId: string;
}

const keyOf = (sessionId: string) => ({ sessionId: { S: sessionId } });

/** The record of a session as it is now, if there is one. */
export async function readRecord({ dynamodb, tableName, sessionId }: Place): Promise<Attributes | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key: keyOf(sessionId), ConsistentRead: true }),
  );
  return Item && fromItem(Item);
}

/** Deletes the record of a session. Returns whether there was one. */
export async function deleteRecord({ dynamodb, tableName, sessionId }: Place): Promise<boolean> {
  const { Attributes } = await dynamodb.send(
    new DeleteItemCommand({ TableName: tableName, Key: keyOf(sessionId), ReturnValues: 'ALL_OLD' }),
  );
  return Attributes !== undefined;
}

/** The command with which a person deletes it. */
export function deleteCommand(tableName: string, sessionId: string): string {
  return `aws dynamodb delete-item --table-name ${tableName} --key '${JSON.stringify(keyOf(sessionId))}'`;
}
