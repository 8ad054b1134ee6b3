import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { fromItem } from '../../../functions/recorder/item.ts';
import type { Attributes } from './probe.ts';

/** The table and key of a session record. */
export interface RecordLocation {
  dynamodb: DynamoDBClient;
  tableName: string;
  sessionId: string;
}

const keyOf = (sessionId: string) => ({ sessionId: { S: sessionId } });

/** Reads the record of a session (strongly consistent). Returns undefined if there is none. */
export async function readRecord({
  dynamodb,
  tableName,
  sessionId,
}: RecordLocation): Promise<Attributes | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key: keyOf(sessionId), ConsistentRead: true }),
  );
  return Item && fromItem(Item);
}

/** Deletes the record of a session. Returns whether it existed. */
export async function deleteRecord({ dynamodb, tableName, sessionId }: RecordLocation): Promise<boolean> {
  const { Attributes } = await dynamodb.send(
    new DeleteItemCommand({ TableName: tableName, Key: keyOf(sessionId), ReturnValues: 'ALL_OLD' }),
  );
  return Attributes !== undefined;
}

/** The AWS CLI command that deletes the record of a session. */
export function deleteCommand(tableName: string, sessionId: string): string {
  return `aws dynamodb delete-item --table-name ${tableName} --key '${JSON.stringify(keyOf(sessionId))}'`;
}
