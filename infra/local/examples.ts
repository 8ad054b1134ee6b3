import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { fromItem } from '../../functions/recorder/item.ts';
import type { LocalStack } from './local-stack.ts';

/** A summary that 8x8 publishes as an example. */
export interface Example {
  name: string;
  body: string;
  sessionId: string;
  subAccountId: string;
}

const Body = v.object({ payload: v.object({ sessionId: v.string(), subAccountId: v.string() }) });

const folder = new URL('examples/', import.meta.url);

/**
 * The published examples: three of IVR, two each of Voice Messaging and Number Masking. Those of Number Masking
 * have session ids of their own here, because 8x8 publishes them with the ids of Voice Messaging's.
 */
export const examples: readonly Example[] = readdirSync(folder)
  .sort()
  .map((file) => {
    const body = readFileSync(new URL(file, folder), 'utf8');
    return { name: file.replace(/\.json$/, ''), body, ...v.parse(Body, JSON.parse(body)).payload };
  });

/**
 * Delivers a body as 8x8 does: to the URL that is registered for the sub-account, with the header registered with it.
 *
 * @throws Error when no webhook is registered, or it is disabled.
 */
export function deliver(
  { fake8x8, resolve }: LocalStack,
  body: string,
  subAccountId = '8x8_test',
): Promise<Response> {
  const webhook = fake8x8.webhooks.get(subAccountId)?.find(({ type, enabled }) => type === 'VSS' && enabled);
  if (!webhook) throw new Error(`no webhook is registered for ${subAccountId}`);
  const { url, httpAuthHeader } = webhook;
  return fetch(resolve(url), {
    method: 'POST',
    ...(httpAuthHeader !== null && { headers: { Authorization: httpAuthHeader } }),
    body,
  });
}

/** A stored record, as far as it is shown. */
export const StoredRecord = v.looseObject({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: v.optional(v.string()),
  startTime: v.optional(v.string()),
  endTime: v.optional(v.string()),
  revision: v.number(),
  legs: v.array(v.looseObject({})),
});
export type StoredRecord = v.InferOutput<typeof StoredRecord>;

/** Every record in the table, by session id. */
export async function readRecords({
  dynamodb,
  tableName,
}: Pick<LocalStack, 'dynamodb' | 'tableName'>): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  const pages = paginateScan({ client: dynamodb }, { TableName: tableName, ConsistentRead: true });
  for await (const { Items = [] } of pages)
    records.push(...Items.map((item) => v.parse(StoredRecord, fromItem(item))));
  return records.sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
}

/** The records of these sessions, once all are stored or the deadline has passed. */
export async function awaitRecords(
  stack: LocalStack,
  sessionIds: readonly string[],
  deadlineMs = 300_000,
): Promise<StoredRecord[]> {
  const wanted = new Set(sessionIds);
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const found = (await readRecords(stack)).filter(({ sessionId }) => wanted.has(sessionId));
    if (found.length === wanted.size || Date.now() > deadline) return found;
    await setTimeout(50);
  }
}
