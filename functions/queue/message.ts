import { isUtf8 } from 'node:buffer';
import type { SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import type { Issue } from '../vss/event.ts';

/** One HTTP delivery by 8x8, as it travels through the queues. */
export interface Delivery {
  /** What was delivered: text, or bytes where those are not UTF-8. */
  body: string | Uint8Array;
  /** When it was received: ISO 8601, UTC. */
  receivedAt: string;
  /** The id of the request that brought it. */
  requestId: string;
}

/** Why a delivery is in the dead-letter queue; those that were tried too often have no reason. */
export interface DeadLetterReason {
  reason: string;
  issues?: readonly Issue[];
}

/** What SendMessage takes beside the queue. */
export interface Message {
  MessageBody: string;
  MessageAttributes: Record<string, { DataType: 'String'; StringValue: string }>;
}

/** The part of an SQS event record that a delivery is read from. */
export type ReceivedMessage = Pick<SQSRecord, 'messageId' | 'body' | 'messageAttributes'> & {
  attributes: Pick<SQSRecordAttributes, 'SentTimestamp'>;
};

/**
 * Characters that a message body carries as they are. SQS refuses or replaces control characters and lone
 * surrogates; those above U+FFFF it takes today but not in all its emulators, so they are encoded as well.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const CARRIED_AS_TEXT = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD]+$/;

/**
 * The message that carries a delivery: its body as delivered, or base64 where SQS cannot carry that as text, which
 * the attribute `encoding` then says. A dead letter also says why it is one.
 */
export function toMessage(delivery: Delivery, deadLetter?: DeadLetterReason): Message {
  const { body, receivedAt, requestId } = delivery;
  const attributes = {
    receivedAt,
    requestId,
    ...(deadLetter && { reason: deadLetter.reason }),
    ...(deadLetter?.issues && { issues: JSON.stringify(deadLetter.issues) }),
  };
  if (typeof body === 'string' && CARRIED_AS_TEXT.test(body)) return message(body, attributes);
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
 * The delivery that a message carries. One sent by hand may have other attributes than ours, or none: its body is what
 * counts.
 */
export function fromMessage({ messageId, body, attributes, messageAttributes }: ReceivedMessage): Delivery {
  const attribute = (name: string) => messageAttributes[name]?.stringValue;
  const [receivedAt, requestId] = [attribute('receivedAt'), attribute('requestId')];
  const sentAt = Number(attributes.SentTimestamp);
  return {
    body: decode(body, attribute('encoding')),
    receivedAt: receivedAt !== undefined && isBefore(receivedAt, sentAt) ? receivedAt : isoTime(sentAt),
    requestId: requestId !== undefined && /^[\w-]{1,128}$/.test(requestId) ? requestId : messageId,
  };
}

/** The clocks of API Gateway and SQS may differ by this much. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Whether a text is a time as `Date` writes it, and no later than the message was sent. */
function isBefore(time: string, sentAt: number): boolean {
  const parsed = Date.parse(time);
  return parsed <= sentAt + CLOCK_SKEW_MS && isoTime(parsed) === time;
}

/** The epoch, where a time is none: SQS always says when a message was sent. */
function isoTime(milliseconds: number): string {
  return new Date(Math.abs(milliseconds) <= MAX_TIME ? milliseconds : 0).toISOString();
}

/** Of a `Date`. */
const MAX_TIME = 8.64e15;

/** A body that is not in the encoding that it claims is left as it is, so that nothing of it is lost. */
function decode(body: string, encoding: string | undefined): string | Uint8Array {
  if (encoding !== 'base64' && encoding !== 'base64-utf16le') return body;
  const bytes = Buffer.from(body, 'base64');
  if (bytes.toString('base64') !== body) return body;
  return encoding === 'base64' ? textOrBytes(bytes) : bytes.toString('utf16le');
}

/** Text where the bytes are UTF-8; a byte order mark stays in it. */
export function textOrBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}
