import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { queueDepth } from './queue-depth.ts';

/** Limits of the visibility timeout, in seconds. The maximum is a limit of SQS. */
const VISIBILITY_TIMEOUT = { min: 120, max: 43_200 };

/** Messages are received at this rate per second, or faster. */
const READ_PER_SECOND = 100;

/** After how many consecutive empty responses the messages that SQS still counts are reported as missed. */
const MAX_EMPTY = 5;

/** What identifies a received message. */
interface Received {
  messageId: string;
  receiptHandle: string;
}

interface ReadOptions {
  perSecond?: number;
  most?: number;
  expected?: number;
}

/** Reads a queue. Messages that it has received are hidden from other consumers until `release`. */
export class QueueReader<Letter extends Received> {
  /** The approximate number of messages that SQS did not return. */
  missed = 0;
  /** The approximate number of messages that are hidden because another consumer has received them. */
  hidden = 0;

  protected readonly sqs: SQSClient;
  readonly #url: string;
  readonly #parse: (message: Message) => Letter;
  readonly #held = new Map<string, Letter>();

  constructor(sqs: SQSClient, url: string, parse: (message: Message) => Letter) {
    this.sqs = sqs;
    this.#url = url;
    this.#parse = parse;
  }

  /**
   * Yields every message once, until the queue has no more, `most` is reached, or the signal aborts.
   *
   * @param options.perSecond The rate at which the caller processes messages. It determines the visibility timeout, so
   *   that no message reappears before all are processed.
   * @param options.expected The minimum number of messages, if known. The count of SQS is eventually consistent.
   */
  async *letters(
    signal: AbortSignal,
    { perSecond = READ_PER_SECOND, most = Number.POSITIVE_INFINITY, expected = 0 }: ReadOptions = {},
  ): AsyncGenerator<Letter> {
    const { visible, hidden } = await queueDepth(this.sqs, this.#url);
    // On a second read, SQS may still count the messages that `release` has just made visible as hidden.
    if (expected === 0) this.hidden = hidden;
    const count = Math.min(Math.max(visible, expected), most);
    const seconds = Math.ceil((2 * count) / Math.min(perSecond, READ_PER_SECOND));
    const visibilityTimeout = Math.min(Math.max(seconds, VISIBILITY_TIMEOUT.min), VISIBILITY_TIMEOUT.max);
    const seen = new Set<string>();
    // An empty response to a long poll is that of all servers of SQS.
    for (let empty = 0; empty === 0 || (empty < MAX_EMPTY && (await this.#countMissed()) > 0); ) {
      if (signal.aborted || seen.size >= most) return;
      const page = await this.#receive(visibilityTimeout);
      const letters = page.filter(({ messageId }) => !seen.has(messageId));
      // If only known messages come back, their visibility timeout has expired and all others have been read.
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

  /** Deletes a message permanently. */
  async delete({ messageId, receiptHandle }: Letter): Promise<void> {
    await this.sqs.send(new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle: receiptHandle }));
    this.#held.delete(messageId);
  }

  /** Makes the received messages visible to other consumers again. */
  async release(): Promise<void> {
    const letters = [...this.#held.values()];
    this.#held.clear();
    for (let i = 0; i < letters.length; i += 10) {
      await this.sqs.send(
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

  async #receive(visibilityTimeout: number): Promise<Letter[]> {
    const { Messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url,
        MaxNumberOfMessages: 10,
        // Long polling queries all servers of the queue; short polling only some of them.
        WaitTimeSeconds: 1,
        VisibilityTimeout: visibilityTimeout,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    const letters = Messages.map(this.#parse);
    for (const letter of letters) this.#held.set(letter.messageId, letter);
    return letters;
  }

  async #countMissed(): Promise<number> {
    this.missed = (await queueDepth(this.sqs, this.#url)).visible;
    return this.missed;
  }
}
