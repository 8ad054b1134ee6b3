import {
  ChangeMessageVisibilityBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { withDeadline } from '../client-settings.ts';
import { canonicalId } from '../log-export/canonical-id.ts';
import { fromMessage } from '../queue/message.ts';
import { queueDepth } from '../queue/queue-depth.ts';
import { receivedMessage } from '../queue/received-message.ts';
import { identify } from '../vss/event.ts';

/** Maximum number of messages that are read. The sessions of others count as missing. */
const MAX_MESSAGES = 2_000;

/** How long the messages are hidden from other readers, if the function cannot release them. */
const HIDDEN_SECONDS = 60;

/** SQS may answer that a queue is empty when it is not: it is, after this many answers in a row. */
const MAX_EMPTY = 2;

/**
 * The sessions that wait in the dead-letter queue, as `deadLetterKey`: 8x8 delivered them, but they are not recorded yet.
 * Undefined while another reader, such as `npx vss-webhook redrive`, has received messages, so that they cannot be read.
 */
export async function deadLetterSessions(
  client: SQSClient,
  queueUrl: string,
): Promise<ReadonlySet<string> | undefined> {
  const read = new Map<string, Message>();
  try {
    const { visible, hidden } = await withDeadline(queueDepth(client, queueUrl));
    if (hidden > 0) return undefined;
    if (visible === 0) return new Set();
    for (let empty = 0; empty < MAX_EMPTY && read.size < MAX_MESSAGES; ) {
      const { Messages = [] } = await withDeadline(
        client.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: 1,
            VisibilityTimeout: HIDDEN_SECONDS,
            MessageSystemAttributeNames: ['SentTimestamp'],
            MessageAttributeNames: ['All'],
          }),
        ),
      );
      const isNew = Messages.some(({ MessageId = '' }) => !read.has(MessageId));
      empty = isNew ? 0 : empty + 1;
      for (const message of Messages) read.set(message.MessageId ?? '', message);
    }
    return new Set([...read.values()].flatMap(sessionOf));
  } finally {
    await release(client, queueUrl, [...read.values()]);
  }
}

function sessionOf(message: Message): string[] {
  const identified = identify(fromMessage(receivedMessage(message)).body);
  return identified.outcome === 'summary' ? [deadLetterKey(identified)] : [];
}

/** A session among those in the dead-letter queue. */
export function deadLetterKey({
  subAccountId,
  sessionId,
}: {
  subAccountId: string;
  sessionId: string;
}): string {
  return `${subAccountId} ${canonicalId(sessionId)}`;
}

/** Makes messages visible to other readers. Those for which it fails become visible after `HIDDEN_SECONDS`. */
async function release(client: SQSClient, queueUrl: string, messages: readonly Message[]): Promise<void> {
  for (let i = 0; i < messages.length; i += 10) {
    const Entries = messages.slice(i, i + 10).map(({ ReceiptHandle }, n) => ({
      Id: String(n),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
    await withDeadline(client.send(command)).catch(() => {});
  }
}
