import { setTimeout } from 'node:timers/promises';
import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../client-settings.ts';
import { ERASED_AT, isTombstone } from '../recorder/tombstone.ts';

/** What the table has of a session. */
export interface RecordedSession {
  subAccountId: string;
  status: string | undefined;
  /** The content of its summary, if it was reconstructed; undefined if 8x8 delivered one. */
  reconstruction: { legs: number; digest: string } | undefined;
}

/** Looks up which of these sessions have a record. The ids are compared exactly, and each may be there only once. */
export type RecordedSessions = (
  sessionIds: readonly string[],
) => Promise<ReadonlyMap<string, RecordedSession | 'erased'>>;

/** The most keys of one BatchGetItem, and how many are looked up at a time. */
const MAX_KEYS = 100;
const CONCURRENT_KEYS = 800;

const LONGEST_PAUSE_MS = 10_000;
const MAX_ATTEMPTS = 10;

type Key = Record<string, AttributeValue>;
type Found = Map<string, RecordedSession | 'erased'>;

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
  /** Requests keys once, and returns those that were not processed. */
  async function request(Keys: Key[], found: Found): Promise<Key[]> {
    const ProjectionExpression = `sessionId, subAccountId, sessionStatus, reconstructedFrom, callCount, digest, ${ERASED_AT}`;
    const command = new BatchGetItemCommand({
      RequestItems: { [tableName]: { Keys, ProjectionExpression } },
    });
    const { Responses, UnprocessedKeys } = await withDeadline(client.send(command));
    for (const item of Responses?.[tableName] ?? []) found.set(item['sessionId']?.S ?? '', sessionOf(item));
    return UnprocessedKeys?.[tableName]?.Keys ?? [];
  }

  async function lookUp(sessionIds: readonly string[], found: Found): Promise<void> {
    let keys = sessionIds.map((id): Key => ({ sessionId: { S: id } }));
    for (let attempt = 1; keys.length > 0; attempt++) {
      keys = await request(keys, found);
      if (keys.length === 0) return;
      if (attempt === MAX_ATTEMPTS)
        throw new Error(`DynamoDB left ${keys.length} keys unprocessed ${attempt} times`);
      await pause(Math.random() * Math.min(100 * 2 ** attempt, LONGEST_PAUSE_MS));
    }
  }

  return async (sessionIds) => {
    const found: Found = new Map();
    for (let i = 0; i < sessionIds.length; i += CONCURRENT_KEYS) {
      const batches = Array.from({ length: CONCURRENT_KEYS / MAX_KEYS }, (_, n) =>
        sessionIds.slice(i + n * MAX_KEYS, i + (n + 1) * MAX_KEYS),
      );
      await Promise.all(batches.map((batch) => lookUp(batch, found)));
    }
    return found;
  };
}

function sessionOf(item: Key): RecordedSession | 'erased' {
  if (isTombstone(item)) return 'erased';
  const { subAccountId, sessionStatus, reconstructedFrom, callCount, digest } = item;
  return {
    subAccountId: subAccountId?.S ?? '',
    status: sessionStatus?.S,
    reconstruction: reconstructedFrom && { legs: Number(callCount?.N ?? 0), digest: digest?.S ?? '' },
  };
}
