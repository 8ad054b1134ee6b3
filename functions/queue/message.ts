import { isUtf8 } from 'node:buffer';
import type { SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import type { Issue } from '../vss/event.ts';

/** An HTTP delivery by 8x8, as it passes through the queues, or a reconstruction of one. */
export interface Delivery {
  /** The body as delivered: text, or bytes if they are not UTF-8. */
  body: string | Uint8Array;
  /** When it was received: ISO 8601, UTC. */
  receivedAt: string;
  /** The id of the HTTP request; of a reconstruction, a random one. */
  requestId: string;
  /** The source of a reconstruction: see `ReceivedSummary`. */
  reconstructedFrom?: string | undefined;
}

/** Why a delivery is a dead letter. Deliveries that SQS itself moved, after too many receives, have no reason. */
export interface DeadLetterReason {
  reason: string;
  issues?: readonly Issue[];
}

/** The parameters of SendMessage, except the queue. */
export interface Message {
  MessageBody: string;
  MessageAttributes: Record<string, { DataType: 'String'; StringValue: string }>;
}

/** The part of an SQS event record that contains a delivery. */
export type ReceivedMessage = Pick<SQSRecord, 'messageId' | 'body' | 'messageAttributes'> & {
  attributes: Pick<SQSRecordAttributes, 'SentTimestamp'>;
};

/**
 * Text that SQS stores unchanged. SQS rejects or replaces control characters and lone surrogates. It accepts characters
 * above U+FFFF, but not all of its emulators do, so they are encoded as well.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const SAFE_IN_SQS = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD]+$/;

/**
 * The message for a delivery: its body as delivered or, if SQS cannot store that as text, in base64, with the attribute
 * `encoding`. A dead letter also has its reason.
 */
export function toMessage(delivery: Delivery, deadLetter?: DeadLetterReason): Message {
  const { body, receivedAt, requestId, reconstructedFrom } = delivery;
  const attributes = {
    receivedAt,
    requestId,
    ...(reconstructedFrom !== undefined && { reconstructedFrom }),
    ...(deadLetter && { reason: deadLetter.reason }),
    ...(deadLetter?.issues && { issues: JSON.stringify(deadLetter.issues) }),
  };
  if (typeof body === 'string' && SAFE_IN_SQS.test(body)) return message(body, attributes);
  if (typeof body === 'string' && !body.isWellFormed()) {
    return message(Buffer.from(body, 'utf16le').toString('base64'), {
      ...attributes,
      encoding: 'base64-utf16le',
    });
  }
  return message(Buffer.from(body).toString('base64'), { ...attributes, encoding: 'base64' });
}

function message(body: string, attributes: Readonly<Record<string, string>>): Message {
  return {
    MessageBody: body,
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    ),
  };
}

/**
 * The delivery in a message. A message that was sent by hand may lack our attributes or have malformed ones: then its
 * own id and the time at which it was sent are used.
 */
export function fromMessage({ messageId, body, attributes, messageAttributes }: ReceivedMessage): Delivery {
  const attribute = (name: string) => messageAttributes[name]?.stringValue;
  const [receivedAt, requestId] = [attribute('receivedAt'), attribute('requestId')];
  const reconstructedFrom = attribute('reconstructedFrom');
  const sentAt = Number(attributes.SentTimestamp);
  return {
    body: decode(body, attribute('encoding')),
    receivedAt: receivedAt !== undefined && isTimeBefore(receivedAt, sentAt) ? receivedAt : isoTime(sentAt),
    requestId: requestId !== undefined && /^[\w-]{1,128}$/.test(requestId) ? requestId : messageId,
    ...(reconstructedFrom !== undefined && { reconstructedFrom }),
  };
}

/** How much the clocks of API Gateway and SQS may differ. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Whether a text is a time in the format of `Date`, and not after the message was sent. */
function isTimeBefore(time: string, sentAt: number): boolean {
  const parsed = Date.parse(time);
  return parsed <= sentAt + CLOCK_SKEW_MS && isoTime(parsed) === time;
}

/** Falls back to the epoch for an invalid time. SQS always provides the time at which a message was sent. */
function isoTime(milliseconds: number): string {
  return new Date(Math.abs(milliseconds) <= MAX_DATE_MS ? milliseconds : 0).toISOString();
}

/** The latest time that a `Date` can represent. */
const MAX_DATE_MS = 8.64e15;

/** Leaves a body unchanged if it is not in the stated encoding, so that nothing is lost. */
function decode(body: string, encoding: string | undefined): string | Uint8Array {
  if (encoding !== 'base64' && encoding !== 'base64-utf16le') return body;
  const bytes = Buffer.from(body, 'base64');
  if (bytes.toString('base64') !== body) return body;
  return encoding === 'base64' ? textOrBytes(bytes) : bytes.toString('utf16le');
}

/** Converts UTF-8 bytes to text, including a byte order mark. Returns other bytes unchanged. */
export function textOrBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}
