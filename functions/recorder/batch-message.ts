import type { SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import type { ReceivedMessage } from '../queue/message.ts';

/** A message of a batch: what it carries, how often and since when it has been received, and the handle of this receive. */
export type BatchMessage = ReceivedMessage &
  Pick<SQSRecord, 'receiptHandle'> & {
    attributes: Pick<SQSRecordAttributes, 'ApproximateReceiveCount' | 'ApproximateFirstReceiveTimestamp'>;
  };

/** How often a message has been received, this time included. */
export function receiveCount({ attributes }: BatchMessage): number {
  return Number(attributes.ApproximateReceiveCount);
}
