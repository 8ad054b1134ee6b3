import type { Message } from '../../../functions/queue/message.ts';
import type { BatchMessage } from '../../../functions/recorder/batch-message.ts';
import { carried } from '../queue/carried.ts';

interface Receives {
  /** How often it has been received, this time included. */
  receives: number;
  /** Milliseconds since 1970. */
  firstReceivedAt?: number;
  receiptHandle?: string;
}

/** A message that has been received before. */
export function receivedAgain(message: BatchMessage, again: Receives): BatchMessage {
  const { receives, firstReceivedAt = 0, receiptHandle = `${message.messageId} ${receives}` } = again;
  return {
    ...message,
    receiptHandle,
    attributes: {
      ...message.attributes,
      ApproximateReceiveCount: String(receives),
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
    },
  };
}

const NOTHING: Message = { MessageBody: '', MessageAttributes: {} };

/** A message of which only the receives matter. */
export function batchMessage(messageId: string, receives: Receives): BatchMessage {
  return receivedAgain(carried(NOTHING, messageId), receives);
}
