import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { fromItem } from '../../functions/recorder/item.ts';
import { isTombstone } from '../../functions/recorder/tombstone.ts';
import type { LocalStack } from './local-stack.ts';

/** An example summary that 8x8 publishes. */
export interface Example {
  name: string;
  body: string;
  sessionId: string;
  subAccountId: string;
  startTime: string;
}

const Body = v.object({
  payload: v.object({ sessionId: v.string(), subAccountId: v.string(), startTime: v.string() }),
});

const folder = new URL('examples/', import.meta.url);

/**
 * The published examples: three of IVR, and two each of Voice Messaging and Number Masking. 8x8 publishes the same
 * session ids for Voice Messaging and Number Masking, so those of Number Masking were changed here.
 */
export const examples: readonly Example[] = readdirSync(folder)
  .sort()
  .map((file) => {
    const body = readFileSync(new URL(file, folder), 'utf8');
    return { name: file.replace(/\.json$/, ''), body, ...v.parse(Body, JSON.parse(body)).payload };
  });

/**
 * Ends a session, and delivers its summary as 8x8 does: to the URL registered for the sub-account, with the registered
 * Authorization header. Returns undefined if the fake 8x8 loses the delivery.
 *
 * @throws Error if no webhook is registered, or it is disabled.
 */
export async function deliver(
  stack: LocalStack,
  body: string,
  subAccountId = '8x8_test',
): Promise<Response | undefined> {
  return stack.fake8x8.endSession(body) === 'lost' ? undefined : post(stack, body, subAccountId);
}

/** Delivers a summary late that 8x8 had lost. */
export function deliverLate(stack: LocalStack, body: string, subAccountId = '8x8_test'): Promise<Response> {
  const { lost } = stack.fake8x8;
  if (!lost.includes(body)) throw new Error('8x8 has not lost this delivery');
  lost.splice(lost.indexOf(body), 1);
  return post(stack, body, subAccountId);
}

function post({ fake8x8, resolve }: LocalStack, body: string, subAccountId: string): Promise<Response> {
  const webhook = fake8x8.webhooks.get(subAccountId)?.find(({ type, enabled }) => type === 'VSS' && enabled);
  if (!webhook) throw new Error(`no webhook is registered for ${subAccountId}`);
  const { url, httpAuthHeader } = webhook;
  return fetch(resolve(url), {
    method: 'POST',
    ...(httpAuthHeader !== null && { headers: { Authorization: httpAuthHeader } }),
    body,
  });
}

/** The attributes of a stored record that are shown. */
export const StoredRecord = v.looseObject({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: v.optional(v.string()),
  startTime: v.optional(v.string()),
  endTime: v.optional(v.string()),
  reconstructedFrom: v.optional(v.string()),
  revision: v.number(),
  legs: v.array(v.looseObject({})),
});
export type StoredRecord = v.InferOutput<typeof StoredRecord>;

/** Reads all records in the table, without erased sessions, sorted by session id. */
export async function readRecords({
  dynamodb,
  tableName,
}: Pick<LocalStack, 'dynamodb' | 'tableName'>): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  const pages = paginateScan({ client: dynamodb }, { TableName: tableName, ConsistentRead: true });
  for await (const { Items = [] } of pages)
    for (const item of Items) if (!isTombstone(item)) records.push(v.parse(StoredRecord, fromItem(item)));
  return records.sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
}

/** Polls until all these sessions are recorded or the deadline has passed, and returns the records found. */
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
