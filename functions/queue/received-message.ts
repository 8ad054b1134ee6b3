import type { Message } from '@aws-sdk/client-sqs';
import type { ReceivedMessage } from './message.ts';

/** A message as ReceiveMessage returns it with all attributes, in the form in which Lambda passes it to a function. */
export function receivedMessage({
  MessageId = '',
  ReceiptHandle = '',
  Body = '',
  Attributes,
  MessageAttributes = {},
}: Message): ReceivedMessage & { receiptHandle: string } {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: { SentTimestamp: Attributes?.SentTimestamp ?? '0' },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType = 'String', StringValue }]) => [
        name,
        { dataType: DataType, ...(StringValue !== undefined && { stringValue: StringValue }) },
      ]),
    ),
  };
}
