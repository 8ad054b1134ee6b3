import {
  type AttributeValue,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { fromItem } from '../../../functions/recorder/item.ts';
import { ERASED_AT } from '../../../functions/recorder/tombstone.ts';
import prices from '../cost/prices.json' with { type: 'json' };
import { mentions, type PhoneNumber } from './phone-number.ts';

type Item = Record<string, AttributeValue>;

/** The segments of the table that are scanned at the same time. */
const SEGMENTS = 8;

/** A read unit is 4 KB; an eventually consistent read takes half of one. */
const BYTES_PER_READ_UNIT = 2 * 4_096;

/** The items of the session table, as an erasure reads and writes them. */
export class SessionItems {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** How much a scan of the table reads, and its list price in US dollars. DynamoDB updates the size every six hours. */
  async scanEstimate(): Promise<{ items: number; bytes: number; price: number }> {
    const { Table } = await this.#client.send(new DescribeTableCommand({ TableName: this.#table }));
    const { ItemCount: items = 0, TableSizeBytes: bytes = 0 } = Table ?? {};
    const price = ((bytes / BYTES_PER_READ_UNIT) * prices.perMillion.dynamodbReadUnits) / 1e6;
    return { items, bytes, price };
  }

  async read(sessionId: string): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ ...this.#key(sessionId), ConsistentRead: true }),
    );
    return Item;
  }

  /**
   * Reads the whole table for the items in which one of the numbers occurs.
   *
   * @param onProgress Called with the number of items that were read so far.
   */
  async find(
    numbers: readonly PhoneNumber[],
    onProgress: (read: number) => void,
    signal: AbortSignal,
  ): Promise<Item[]> {
    const found: Item[] = [];
    let read = 0;
    const segments = Array.from({ length: SEGMENTS }, async (_, Segment) => {
      const request = { TableName: this.#table, Segment, TotalSegments: SEGMENTS };
      for await (const { Items = [] } of paginateScan({ client: this.#client }, request)) {
        if (signal.aborted) return;
        found.push(...Items.filter((item) => mentions(fromItem(item), numbers)));
        read += Items.length;
        onProgress(read);
      }
    });
    await Promise.all(segments);
    return found;
  }

  /**
   * Marks a session as erased: from now on, nothing records it, and no view or index shows it. Its other attributes stay,
   * so that an interrupted erasure finds it again. Without its revision, no other writer can replace it, and without an
   * expiry, DynamoDB does not delete the mark.
   */
  async mark(sessionId: string): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        ...this.#key(sessionId),
        UpdateExpression: `SET ${ERASED_AT} = if_not_exists(${ERASED_AT}, :now) REMOVE revision, event, expiresAt, unsuccessfulIn, unsuccessfulAt`,
        ExpressionAttributeValues: { ':now': { S: new Date().toISOString() } },
      }),
    );
  }

  /** Replaces a marked session by its tombstone. */
  async bury(sessionId: string): Promise<void> {
    const { [ERASED_AT]: erasedAt } = (await this.read(sessionId)) ?? {};
    if (!erasedAt) throw new Error(`The session ${sessionId} is no longer marked as erased`);
    await this.#client.send(
      new PutItemCommand({
        TableName: this.#table,
        Item: { sessionId: { S: sessionId }, [ERASED_AT]: erasedAt },
      }),
    );
  }

  #key(sessionId: string) {
    return { TableName: this.#table, Key: { sessionId: { S: sessionId } } };
  }
}
