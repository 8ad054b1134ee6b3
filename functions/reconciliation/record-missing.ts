import { randomUUID } from 'node:crypto';
import { type Message, toMessage } from '../queue/message.ts';
import { readSummary } from '../vss/summary.ts';
import type { ExportedDay } from './compare-export.ts';
import type { Candidate } from './compare-sessions.ts';
import { reconstruct } from './reconstruct.ts';

/** Resolves once the queue has acknowledged the message. */
export type Send = (message: Message) => Promise<unknown>;

/** How many messages are sent at a time. */
const CONCURRENT_SENDS = 16;

/** The webhook accepts bodies up to this size, so SQS and DynamoDB have room for them. */
const MAX_BODY_BYTES = 256 * 1_024;

/** The source of a reconstruction, in its message and its record. */
const SOURCE = 'log-export';

/** What became of the candidates: sent as new ones, sent again with more legs, or not usable. */
export interface Sent {
  recorded: number;
  updated: number;
  unusable: number;
}

/** Sends a reconstruction of each candidate to the queue. The recorder ignores what it has already. */
export async function recordMissing(
  { subAccountId, exportedAt }: Pick<ExportedDay, 'subAccountId' | 'exportedAt'>,
  candidates: readonly Candidate[],
  send: Send,
): Promise<Sent> {
  const sent: Sent = { recorded: 0, updated: 0, unusable: 0 };
  const messages: Message[] = [];
  for (const { rows, isTruncated, isMissing } of candidates) {
    const body = isTruncated ? undefined : reconstruct(subAccountId, rows);
    if (body === undefined || !isRecordable(body)) {
      sent.unusable++;
      continue;
    }
    sent[isMissing ? 'recorded' : 'updated']++;
    messages.push(
      toMessage({ body, receivedAt: exportedAt, requestId: randomUUID(), reconstructedFrom: SOURCE }),
    );
  }
  for (let i = 0; i < messages.length; i += CONCURRENT_SENDS)
    await Promise.all(messages.slice(i, i + CONCURRENT_SENDS).map(send));
  return sent;
}

function isRecordable(body: string): boolean {
  return Buffer.byteLength(body) <= MAX_BODY_BYTES && readSummary(body).outcome === 'summary';
}
