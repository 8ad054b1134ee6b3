import type { SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import type { ReceivedMessage } from '../queue/message.ts';

/** A message of a batch, with its receive count, the time of its first receive, and the handle of this receive. */
export type BatchMessage = ReceivedMessage &
  Pick<SQSRecord, 'receiptHandle'> & {
    attributes: Pick<SQSRecordAttributes, 'ApproximateReceiveCount' | 'ApproximateFirstReceiveTimestamp'>;
  };

/** How often a message has been received, including this time. */
export function receiveCount({ attributes }: BatchMessage): number {
  return Number(attributes.ApproximateReceiveCount);
}
