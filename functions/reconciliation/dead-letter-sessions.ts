import type { SQSClient } from '@aws-sdk/client-sqs';
import { canonicalId } from '../log-export/canonical-id.ts';
import { fromMessage } from '../queue/message.ts';
import { queueDepth } from '../queue/queue-depth.ts';
import { QueueReader } from '../queue/queue-reader.ts';
import { receivedMessage } from '../queue/received-message.ts';
import { identify } from '../vss/event.ts';

/** Maximum number of messages that are read. The sessions of others count as missing. */
const MAX_MESSAGES = 2_000;

/**
 * The sessions that wait in the dead-letter queue, as `deadLetterKey`: 8x8 delivered them, but they are not recorded yet.
 * Undefined while another reader, such as `npx vss-webhook redrive`, has received messages, so that they cannot be read.
 */
export async function deadLetterSessions(
  sqs: SQSClient,
  queueUrl: string,
): Promise<ReadonlySet<string> | undefined> {
  const { visible, hidden } = await queueDepth(sqs, queueUrl);
  if (hidden > 0) return undefined;
  const sessions = new Set<string>();
  if (visible === 0) return sessions;
  await using queue = new QueueReader(sqs, queueUrl, receivedMessage);
  for await (const message of queue.letters(AbortSignal.any([]), { most: MAX_MESSAGES })) {
    const identified = identify(fromMessage(message).body);
    if (identified.outcome === 'summary') sessions.add(deadLetterKey(identified));
  }
  return sessions;
}

interface SessionOfSubAccount {
  subAccountId: string;
  sessionId: string;
}

/** A session among those in the dead-letter queue. */
export function deadLetterKey({ subAccountId, sessionId }: SessionOfSubAccount): string {
  return `${subAccountId} ${canonicalId(sessionId)}`;
}
