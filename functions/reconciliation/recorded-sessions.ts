import { setTimeout } from 'node:timers/promises';
import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../client-settings.ts';

/** What the table has of a session. */
export interface RecordedSession {
  status: string | undefined;
  /** The number of legs of its summary, if it was reconstructed; undefined if 8x8 delivered one. */
  reconstructedLegs: number | undefined;
}

/** Looks up which of at most `MAX_KEYS` sessions have a record. */
export type RecordedSessions = (
  sessionIds: readonly string[],
) => Promise<ReadonlyMap<string, RecordedSession>>;

/** The most keys of one BatchGetItem. */
export const MAX_KEYS = 100;

const LONGEST_PAUSE_MS = 10_000;
const MAX_ATTEMPTS = 10;

/**
 * Reads eventually consistently, for half the price: the sessions that are looked up ended an hour ago or more.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
 */
export function recordedSessions(
  client: Pick<DynamoDBClient, 'send'>,
  tableName: string,
  pause: (milliseconds: number) => Promise<unknown> = setTimeout,
): RecordedSessions {
  return async (sessionIds) => {
    const found = new Map<string, RecordedSession>();
    let keys: Record<string, AttributeValue>[] = sessionIds.map((id) => ({ sessionId: { S: id } }));
    for (let attempt = 1; keys.length > 0; attempt++) {
      const { Responses, UnprocessedKeys } = await withDeadline(
        client.send(
          new BatchGetItemCommand({
            RequestItems: {
              [tableName]: {
                Keys: keys,
                ProjectionExpression: 'sessionId, sessionStatus, reconstructedFrom, callCount',
              },
            },
          }),
        ),
      );
      for (const { sessionId, sessionStatus, reconstructedFrom, callCount } of Responses?.[tableName] ?? []) {
        found.set(sessionId?.S ?? '', {
          status: sessionStatus?.S,
          reconstructedLegs: reconstructedFrom === undefined ? undefined : Number(callCount?.N ?? 0),
        });
      }
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (keys.length === 0) return found;
      if (attempt === MAX_ATTEMPTS)
        throw new Error(`DynamoDB left ${keys.length} keys unprocessed ${attempt} times`);
      await pause(Math.random() * Math.min(100 * 2 ** attempt, LONGEST_PAUSE_MS));
    }
    return found;
  };
}
