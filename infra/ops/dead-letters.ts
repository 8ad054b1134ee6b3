import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type Delivery, fromMessage, toMessage } from '../../functions/queue/message.ts';
import { inOneLine } from '../printable.ts';

/** A delivery in the dead-letter queue. */
export interface DeadLetter {
  messageId: string;
  /** Why it is here. */
  reason: string;
  /** Issues as the function that moved it wrote them, in JSON. */
  issues: string | undefined;
  delivery: Delivery;
  receiptHandle: string;
}

/** The reason of a message that has none: the queue itself moved it, after its last receive. */
export const TRIED_TOO_OFTEN = 'tried-too-often';

/**
 * How long a message that was looked at is hidden from others. An interrupted command leaves it hidden for as long,
 * and no longer: nothing is taken out of the queue before it has arrived elsewhere.
 */
const HIDDEN_SECONDS = 120;

/**
 * Receives every dead letter once, until the queue has no more to show or the signal comes. Each page is noted in
 * `held` before its letters are passed on: they are hidden from others until `release`.
 */
export async function* receiveAll(
  sqs: SQSClient,
  queueUrl: string,
  held: Set<DeadLetter>,
  signal: AbortSignal,
): AsyncGenerator<DeadLetter> {
  const seen = new Set<string>();
  for (let quiet = 0; quiet < 2; ) {
    if (signal.aborted) return;
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        VisibilityTimeout: HIDDEN_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    const letters = Messages.map(toDeadLetter).filter(({ messageId }) => !seen.has(messageId));
    // A queue is spread over many machines, and not each answers every time: two quiet answers end it.
    quiet = letters.length === 0 ? quiet + 1 : 0;
    for (const letter of letters) {
      seen.add(letter.messageId);
      held.add(letter);
    }
    for (const letter of letters) {
      if (signal.aborted) return;
      yield letter;
    }
  }
}

function toDeadLetter({
  MessageId = '',
  Body = '',
  ReceiptHandle = '',
  Attributes,
  MessageAttributes,
}: Message): DeadLetter {
  const attributes = Object.fromEntries(
    Object.entries(MessageAttributes ?? {}).map(([name, { DataType = 'String', StringValue }]) => [
      name,
      { dataType: DataType, stringValue: StringValue },
    ]),
  );
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    reason: inOneLine(attributes['reason']?.stringValue ?? TRIED_TOO_OFTEN),
    issues: attributes['issues']?.stringValue,
    delivery: fromMessage({
      messageId: MessageId,
      body: Body,
      attributes: { SentTimestamp: Attributes?.SentTimestamp ?? '0' },
      messageAttributes: attributes,
    }),
  };
}

/** Shows the letters to others again, at once. */
export async function release(
  sqs: SQSClient,
  queueUrl: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  for (let i = 0; i < letters.length; i += 10) {
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queueUrl,
        Entries: letters.slice(i, i + 10).map(({ receiptHandle }, n) => ({
          Id: String(n),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: 0,
        })),
      }),
    );
  }
}

/** Puts a dead letter into the queue again, as it was delivered, and only then takes it out of the dead-letter queue. */
export async function sendBack(
  sqs: SQSClient,
  { queueUrl, deadLetterQueueUrl }: { queueUrl: string; deadLetterQueueUrl: string },
  letter: DeadLetter,
): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...toMessage(letter.delivery) }));
  await deleteLetter(sqs, deadLetterQueueUrl, letter);
}

/** Takes a dead letter out of its queue, for ever. */
export async function deleteLetter(
  sqs: SQSClient,
  queueUrl: string,
  { receiptHandle }: DeadLetter,
): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
}
