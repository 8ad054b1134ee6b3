import type { Message, ReceivedMessage } from '../../../functions/queue/message.ts';

/** A message as Lambda receives it, after SQS has carried it. */
export function carried({ MessageBody, MessageAttributes }: Message, messageId = 'message'): ReceivedMessage {
  return {
    messageId,
    body: MessageBody,
    attributes: { SentTimestamp: '1768292854567' },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType, StringValue }]) => [
        name,
        { dataType: DataType, stringValue: StringValue },
      ]),
    ),
  };
}
