import type { Message } from '../../../functions/queue/message.ts';
import type { BatchMessage } from '../../../functions/recorder/batch-message.ts';
import { carried } from '../queue/carried.ts';

interface Receives {
  /** The number of receives, including this one. */
  receives: number;
  /** Milliseconds since 1970. */
  firstReceivedAt?: number;
  receiptHandle?: string;
}

/** A message that has been received before. */
export function receivedAgain(
  message: BatchMessage,
  { receives, firstReceivedAt = 0, receiptHandle = `${message.messageId} ${receives}` }: Receives,
): BatchMessage {
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

const EMPTY: Message = { MessageBody: '', MessageAttributes: {} };

/** A message for tests in which only the receives matter. */
export function batchMessage(messageId: string, receives: Receives): BatchMessage {
  return receivedAgain(carried(EMPTY, messageId), receives);
}
