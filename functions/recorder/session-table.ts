import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { withDeadline } from '../client-settings.ts';
import { loggableId } from '../loggable-id.ts';
import { SessionRecord } from '../vss/record.ts';
import { fromItem, toItem } from './item.ts';

/** The table of session records, one item each. */
export interface SessionTable {
  /** Stores the record of a session that has none; false if it has one. */
  add(record: SessionRecord): Promise<boolean>;
  read(sessionId: string): Promise<SessionRecord | undefined>;
  /** Replaces the record that has this revision, and raises that; false if it has another by now. */
  replace(record: SessionRecord, revision: number): Promise<boolean>;
}

/** DynamoDB takes items up to 400 KB; a record beyond that can never be stored. */
export class RecordTooLargeError extends Error {
  override name = 'RecordTooLargeError';
}

/**
 * @param retentionDays How many days after its last change DynamoDB deletes a record; never, where it is not given. Not
 *   after the summary was received: a dead letter that is sent back after that long would be deleted at once.
 */
export function sessionTable(
  client: DynamoDBClient,
  tableName: string,
  retentionDays?: number,
  now: () => number = Date.now,
): SessionTable {
  async function put(record: SessionRecord, condition: Omit<PutItemCommandInput, 'TableName' | 'Item'>) {
    try {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: toItem({ ...record, expiresAt: expiryAt(now(), retentionDays) }),
        ...condition,
      });
      await withDeadline(client.send(command));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      if (isItemTooLarge(error)) throw new RecordTooLargeError('The record exceeds 400 KB', { cause: error });
      throw error;
    }
  }

  return {
    add: (record) => put(record, { ConditionExpression: 'attribute_not_exists(sessionId)' }),

    replace: (record, revision) =>
      put(
        { ...record, revision: revision + 1 },
        {
          ConditionExpression: 'revision = :revision',
          ExpressionAttributeValues: { ':revision': { N: String(revision) } },
        },
      ),

    async read(sessionId) {
      const command = new GetItemCommand({
        TableName: tableName,
        Key: { sessionId: { S: sessionId } },
        ConsistentRead: true,
      });
      const { Item } = await withDeadline(client.send(command));
      if (!Item) return undefined;
      // When an item expires is this table's matter; it is no part of what was delivered.
      const { expiresAt: _, ...attributes } = fromItem(Item);
      const parsed = v.safeParse(SessionRecord, attributes);
      if (parsed.success) return parsed.output;
      // Not valibot's own error: that one has the item in it, with phone numbers.
      const paths = parsed.issues.map((issue) => v.getDotPath(issue));
      throw new Error(
        `The item of session ${loggableId(sessionId)} is no session record. Missing or malformed: ${paths.join(', ')}`,
      );
    },
  };
}

/** When a record that is written now expires, in seconds since 1970, as DynamoDB's time to live wants it. */
function expiryAt(now: number, retentionDays: number | undefined): number | undefined {
  return retentionDays === undefined ? undefined : Math.floor(now / 1_000) + retentionDays * 86_400;
}

/** DynamoDB has no error of its own for this: a ValidationException says it in words. */
function isItemTooLarge(error: unknown): boolean {
  return error instanceof Error && error.name === 'ValidationException' && /item size/i.test(error.message);
}
