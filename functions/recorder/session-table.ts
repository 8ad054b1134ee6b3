import {
  type AttributeValue,
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
import { ERASED_AT, isTombstone } from './tombstone.ts';

/** The table of session records, one item each. */
export interface SessionTable {
  /** Adds the record of a new session; false if the session already has one, or was erased. */
  add(record: SessionRecord): Promise<boolean>;
  /** The record of a session; undefined if it has none. */
  read(sessionId: string): Promise<SessionRecord | 'erased' | undefined>;
  /** Replaces the record and increments its revision; false if it no longer has this revision. */
  replace(record: SessionRecord, revision: number): Promise<boolean>;
}

/** The record exceeds DynamoDB's limit of 400 KB per item, so a retry cannot succeed. */
export class RecordTooLargeError extends Error {
  override name = 'RecordTooLargeError';
}

/** A record, and the expiry of its item. */
export interface StoredRecord {
  record: SessionRecord;
  /** When DynamoDB deletes it, in seconds since 1970; undefined if it never does. */
  expiresAt: number | undefined;
}

/** The table of session records with the expiry of each, which a restore preserves. */
export interface StoredRecords {
  /** Adds the record of a new session; false if the session already has one, or was erased. */
  add(stored: StoredRecord): Promise<boolean>;
  /** The record of a session; undefined if it has none. @throws MalformedItemError */
  read(sessionId: string): Promise<StoredRecord | 'erased' | undefined>;
  /** Replaces the record and increments its revision; false if it no longer has this revision. */
  replace(stored: StoredRecord, revision: number): Promise<boolean>;
  /** Puts a tombstone in place of any record; false if the session was already erased. */
  erase(sessionId: string, erasedAt: string): Promise<boolean>;
}

/** An item is not a session record. The message names the attributes, without their values. */
export class MalformedItemError extends Error {
  override name = 'MalformedItemError';
}

/**
 * @param retentionDays Days after its last write until DynamoDB deletes a record; never by default. It does not count
 *   from the receipt of a summary, because the record of an old, redriven dead letter would then expire at once.
 */
export function sessionTable(
  client: DynamoDBClient,
  tableName: string,
  retentionDays?: number,
  now: () => number = Date.now,
): SessionTable {
  const records = storedRecords(client, tableName);
  const stored = (record: SessionRecord) => ({ record, expiresAt: expiryAt(now(), retentionDays) });
  return {
    add: (record) => records.add(stored(record)),
    replace: (record, revision) => records.replace(stored(record), revision),
    async read(sessionId) {
      const read = await records.read(sessionId);
      return typeof read === 'object' ? read.record : read;
    },
  };
}

export function storedRecords(client: DynamoDBClient, tableName: string): StoredRecords {
  async function put(attributes: object, condition: Omit<PutItemCommandInput, 'TableName' | 'Item'>) {
    try {
      const command = new PutItemCommand({ TableName: tableName, Item: toItem(attributes), ...condition });
      await withDeadline(client.send(command));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      if (isItemTooLarge(error)) throw new RecordTooLargeError('The record exceeds 400 KB', { cause: error });
      throw error;
    }
  }

  return {
    add: ({ record, expiresAt }) =>
      put({ ...record, expiresAt }, { ConditionExpression: 'attribute_not_exists(sessionId)' }),

    replace: ({ record, expiresAt }, revision) =>
      put(
        { ...record, expiresAt, revision: revision + 1 },
        {
          ConditionExpression: 'revision = :revision',
          ExpressionAttributeValues: { ':revision': { N: String(revision) } },
        },
      ),

    erase: (sessionId, erasedAt) =>
      put(
        { sessionId, [ERASED_AT]: erasedAt },
        { ConditionExpression: `attribute_not_exists(${ERASED_AT})` },
      ),

    async read(sessionId) {
      const command = new GetItemCommand({
        TableName: tableName,
        Key: { sessionId: { S: sessionId } },
        ConsistentRead: true,
      });
      const { Item } = await withDeadline(client.send(command));
      if (!Item) return undefined;
      return isTombstone(Item) ? 'erased' : storedRecordOf(Item);
    },
  };
}

/** The record in an item. @throws MalformedItemError */
export function storedRecordOf(item: Readonly<Record<string, AttributeValue>>): StoredRecord {
  // The expiry belongs to the item, not to the record.
  const { expiresAt, ...attributes } = fromItem(item);
  const parsed = v.safeParse(SessionRecord, attributes);
  if (parsed.success)
    return { record: parsed.output, expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined };
  // Valibot's own error would contain the item, with phone numbers.
  const paths = parsed.issues.map((issue) => v.getDotPath(issue));
  throw new MalformedItemError(
    `The item of session ${loggableId(String(attributes['sessionId']))} is not a session record. Missing or malformed: ${paths.join(', ')}`,
  );
}

/** When a record that is written now expires, in seconds since 1970, as DynamoDB's time to live requires. */
function expiryAt(now: number, retentionDays: number | undefined): number | undefined {
  return retentionDays === undefined ? undefined : Math.floor(now / 1_000) + retentionDays * 86_400;
}

/** DynamoDB has no separate error type for this: only the message of the ValidationException identifies it. */
function isItemTooLarge(error: unknown): boolean {
  return error instanceof Error && error.name === 'ValidationException' && /item size/i.test(error.message);
}
