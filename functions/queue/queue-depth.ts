import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** The approximate number of messages in a queue: `visible` can be received, `hidden` are in flight. */
export async function queueDepth(
  sqs: SQSClient,
  queueUrl: string,
): Promise<{ visible: number; hidden: number }> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return {
    visible: Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0),
    hidden: Number(Attributes?.['ApproximateNumberOfMessagesNotVisible'] ?? 0),
  };
}
