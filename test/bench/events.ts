import { randomUUID } from 'node:crypto';
import { toItem } from '../../functions/recorder/item.ts';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { example, summaryOf } from '../functions/summaries.ts';

/** Two legs, one of them with a call quality: as large as a summary mostly is. */
const EXAMPLE = example('ivr-answered');
const { sessionId } = summaryOf(EXAMPLE);

export const AUTHORIZATION = 'the-value-that-8x8-sends';

let sessions = 0;

/**
 * What 8x8 delivers of a new session, which has times of its own, so that no cache has them; or, where it is given,
 * another summary of that one.
 */
export function newBody(of = randomUUID(), endTime?: string): string {
  const later = ++sessions * 1_000;
  const body = EXAMPLE.replaceAll(sessionId, of).replace(/\d{4}-\d\d-\d\dT[\d:]{8}(?=Z")/g, (time) =>
    new Date(Date.parse(`${time}Z`) + later).toISOString().slice(0, 19),
  );
  return endTime === undefined ? body : body.replace(/"endTime": *"[^"]*"/, `"endTime": "${endTime}"`);
}

/** What API Gateway makes of a delivery, as far as the contenders read it. */
export function proxyEvent(): object {
  return {
    headers: { Authorization: AUTHORIZATION, 'Content-Type': 'application/json' },
    body: Buffer.from(newBody()).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
}

/** What Lambda makes of messages; and, for who reads no messages, the items they come to. */
export function batchEvent(bodies: readonly string[]): object {
  const receivedAt = new Date().toISOString();
  return {
    Records: bodies.map((body) => ({
      messageId: randomUUID(),
      receiptHandle: 'receipt',
      body,
      attributes: { SentTimestamp: String(Date.now()), ApproximateReceiveCount: '1' },
      messageAttributes: {
        receivedAt: { dataType: 'String', stringValue: receivedAt },
        requestId: { dataType: 'String', stringValue: randomUUID() },
      },
      eventSource: 'aws:sqs',
    })),
    items: bodies.map((body) => toItem(newRecord(receivedSummary(summaryOf(body), receivedAt)))),
  };
}
