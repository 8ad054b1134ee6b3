import { type Message, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Delivery, fromMessage, toMessage } from '../../../functions/queue/message.ts';
import { QueueReader } from '../../../functions/queue/queue-reader.ts';
import { receivedMessage } from '../../../functions/queue/received-message.ts';
import { inOneLine } from '../../terminal/printable.ts';

/** A message of the dead-letter queue. */
export interface DeadLetter {
  messageId: string;
  /** Why it could not be recorded. */
  reason: string;
  /** The issues as JSON, as written by the function that moved the message. */
  issues: string | undefined;
  delivery: Delivery;
  receiptHandle: string;
}

/** The reason of a message without one: SQS itself moved it, after the maximum number of receives. */
const TRIED_TOO_OFTEN = 'tried-too-often';

/** Reads the dead-letter queue of the deliveries. */
export class DeadLetterQueue extends QueueReader<DeadLetter> {
  constructor(sqs: SQSClient, url: string) {
    super(sqs, url, toDeadLetter);
  }

  /** Sends a delivery unchanged to another queue, and only then deletes it from this one. */
  async sendBack(letter: DeadLetter, queueUrl: string): Promise<void> {
    await this.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...toMessage(letter.delivery) }));
    await this.delete(letter);
  }
}

function toDeadLetter(message: Message): DeadLetter {
  const received = receivedMessage(message);
  const attribute = (name: string) => received.messageAttributes[name]?.stringValue;
  return {
    messageId: received.messageId,
    receiptHandle: received.receiptHandle,
    reason: inOneLine(attribute('reason') ?? TRIED_TOO_OFTEN),
    issues: attribute('issues'),
    delivery: fromMessage(received),
  };
}
