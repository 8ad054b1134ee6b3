import { randomUUID } from 'node:crypto';
import { toItem } from '../../functions/recorder/item.ts';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { example, summaryOf } from '../functions/summaries.ts';

/** Two legs, one of them with a call quality: a summary of typical size. */
const EXAMPLE = example('ivr-answered');
const { sessionId } = summaryOf(EXAMPLE);

export const AUTHORIZATION = 'the-value-that-8x8-sends';

let sessions = 0;

/** The body of a delivery, of a new session by default. Its times are unique, so that no cache contains them. */
export function newBody(ofSession = randomUUID(), endTime?: string): string {
  const later = ++sessions * 1_000;
  const body = EXAMPLE.replaceAll(sessionId, ofSession).replace(/\d{4}-\d\d-\d\dT[\d:]{8}(?=Z")/g, (time) =>
    new Date(Date.parse(`${time}Z`) + later).toISOString().slice(0, 19),
  );
  return endTime === undefined ? body : body.replace(/"endTime": *"[^"]*"/, `"endTime": "${endTime}"`);
}

/** A delivery as API Gateway passes it, with the fields that the contenders read. */
export function proxyEvent(): object {
  return {
    headers: { Authorization: AUTHORIZATION, 'Content-Type': 'application/json' },
    body: Buffer.from(newBody()).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
}

/** A batch of messages as Lambda passes it, with the items to write for the contenders that do not parse messages. */
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
