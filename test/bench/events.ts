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
export function newBody(ofSession = randomUUID()): string {
  const later = ++sessions * 1_000;
  return EXAMPLE.replaceAll(sessionId, ofSession).replace(/\d{4}-\d\d-\d\dT[\d:]{8}(?=Z")/g, (time) =>
    new Date(Date.parse(`${time}Z`) + later).toISOString().slice(0, 19),
  );
}

/** The measured functions: the next event of each, and its number of sessions. */
export const FUNCTIONS = {
  webhook: { nextEvent: proxyEvent, sessionsPerEvent: 1 },
  recorder: { nextEvent: batchEvent, sessionsPerEvent: 10 },
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

/** A delivery as API Gateway passes it, with the fields that the contenders read. */
function proxyEvent(): object {
  return {
    headers: { Authorization: AUTHORIZATION, 'Content-Type': 'application/json' },
    body: Buffer.from(newBody()).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
}

/** A batch of messages as Lambda passes it, with the items to write for the contenders that do not parse messages. */
function batchEvent(): object {
  const receivedAt = new Date().toISOString();
  const bodies = Array.from({ length: FUNCTIONS.recorder.sessionsPerEvent }, () => newBody());
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
