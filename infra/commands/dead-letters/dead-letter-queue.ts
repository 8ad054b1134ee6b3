import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type Delivery, fromMessage, toMessage } from '../../../functions/queue/message.ts';
import { inOneLine } from '../../terminal/printable.ts';

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

/** How long a message that was received is hidden from others, in seconds: at least, and at most (a limit of SQS). */
const HIDDEN = { min: 120, max: 43_200 };

/** Letters that are received within a second, at the least. */
const READ_PER_SECOND = 100;

/** How often nothing is received before the letters that SQS says are left are taken for missed. */
const MAX_EMPTY = 5;

/** How a queue is read. */
interface Reading {
  perSecond?: number;
  most?: number;
  expected?: number;
}

/** A dead-letter queue that is being read. What was received is hidden from others until `release`. */
export class DeadLetterQueue {
  /** About how many letters were not received, once all that could be were. */
  missed = 0;
  /** About how many are hidden because somebody else has received them. */
  hidden = 0;

  readonly #sqs: SQSClient;
  readonly #url: string;
  readonly #held = new Map<string, DeadLetter>();

  constructor(sqs: SQSClient, url: string) {
    this.#sqs = sqs;
    this.#url = url;
  }

  /**
   * Receives every letter once, until there are no more, there were as many as `most`, or the signal aborts.
   *
   * @param options.perSecond How many are dealt with within a second: none becomes visible again before all have been.
   * @param options.expected How many letters there are at least, where that is known; the queue's own count lags.
   */
  async *letters(
    signal: AbortSignal,
    { perSecond = READ_PER_SECOND, most = Number.POSITIVE_INFINITY, expected = 0 }: Reading = {},
  ): AsyncGenerator<DeadLetter> {
    const { visible, hidden } = await depthOf(this.#sqs, this.#url);
    if (expected === 0) this.hidden = hidden;
    const count = Math.min(Math.max(visible, expected), most);
    const seconds = Math.ceil((2 * count) / Math.min(perSecond, READ_PER_SECOND));
    const hiddenSeconds = Math.min(Math.max(seconds, HIDDEN.min), HIDDEN.max);
    const seen = new Set<string>();
    for (let empty = 0; empty < 2 || (empty < MAX_EMPTY && (await this.#countMissed()) > 0); ) {
      if (signal.aborted || seen.size >= most) return;
      const page = await this.#receive(hiddenSeconds);
      const letters = page.filter(({ messageId }) => !seen.has(messageId));
      // Those that were seen have become visible again: all others have been, too.
      empty = letters.length === 0 ? empty + 1 : 0;
      for (const letter of letters) {
        seen.add(letter.messageId);
        if (signal.aborted) return;
        yield letter;
        if (seen.size >= most) return;
      }
    }
    await this.#countMissed();
  }

  /** Takes a letter out of the queue, for ever. */
  async delete({ messageId, receiptHandle }: DeadLetter): Promise<void> {
    await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle: receiptHandle }));
    this.#held.delete(messageId);
  }

  /** Puts a letter into another queue, as it was delivered, and only then takes it out of this one. */
  async sendBack(letter: DeadLetter, queueUrl: string): Promise<void> {
    await this.#sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...toMessage(letter.delivery) }));
    await this.delete(letter);
  }

  /** Shows the letters to others again, at once. */
  async release(): Promise<void> {
    const letters = [...this.#held.values()];
    this.#held.clear();
    for (let i = 0; i < letters.length; i += 10) {
      await this.#sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: this.#url,
          Entries: letters.slice(i, i + 10).map(({ receiptHandle }, n) => ({
            Id: String(n),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: 0,
          })),
        }),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #receive(hiddenSeconds: number): Promise<DeadLetter[]> {
    const { Messages = [] } = await this.#sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url,
        MaxNumberOfMessages: 10,
        // Long polling, which asks every server of the queue.
        WaitTimeSeconds: 1,
        VisibilityTimeout: hiddenSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    const letters = Messages.map(toDeadLetter);
    for (const letter of letters) this.#held.set(letter.messageId, letter);
    return letters;
  }

  async #countMissed(): Promise<number> {
    this.missed = (await depthOf(this.#sqs, this.#url)).visible;
    return this.missed;
  }
}

/** About how many messages a queue has: to be received, and received but not yet deleted. */
export async function depthOf(
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
