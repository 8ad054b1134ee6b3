import type { Message } from '../../../functions/queue/message.ts';
import type { BatchMessage } from '../../../functions/recorder/batch-message.ts';

/** A sent message as Lambda receives it from SQS. */
export function carried({ MessageBody, MessageAttributes }: Message, messageId = 'message'): BatchMessage {
  return {
    messageId,
    body: MessageBody,
    receiptHandle: `handle-${messageId}`,
    attributes: {
      SentTimestamp: '1768292854567',
      ApproximateReceiveCount: '1',
      ApproximateFirstReceiveTimestamp: '1768292854567',
    },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType, StringValue }]) => [
        name,
        { dataType: DataType, stringValue: StringValue },
      ]),
    ),
  };
}
