import { rateLimit } from '../../../functions/rate-limit.ts';
import { UsageError } from '../command-line/command.ts';
import type { DeadLetter, DeadLetterQueue } from './dead-letter-queue.ts';
import { letterInFull, letterLine, lettersByReason } from './dead-letter-text.ts';

/** The arguments of the commands of `redrive`. */
export interface Redrive {
  queue: DeadLetterQueue;
  /** The queue from which the recorder reads. */
  queueUrl: string;
  options: {
    /** The id of the one message that the command processes. */
    id: string | undefined;
    reason?: string | undefined;
    perSecond: number;
    'dry-run': boolean;
    yes: boolean;
    unmasked: boolean;
  };
  interrupted: AbortSignal;
  /** Prints a line. */
  say(text: string): void;
  /** Shows progress until the next call; without text, clears it. */
  showProgress(text?: string): void;
  /** Asks for confirmation. @throws UsageError without a terminal. */
  confirm(question: string): Promise<boolean>;
}

export async function list(redrive: Redrive): Promise<void> {
  const letters = await read(redrive);
  redrive.say(letters.length === 0 ? EMPTY : lettersByReason(letters));
  sayIncomplete(redrive);
}

export async function show({ queue, options, interrupted, say }: Redrive): Promise<void> {
  const letter = await find(queue, options.id, interrupted);
  if (letter) say(letterInFull(letter, options));
}

export async function deleteOne(redrive: Redrive): Promise<void> {
  const { queue } = redrive;
  await changeOne(redrive, 'Delete this message permanently?', 'deleted', (letter) => queue.delete(letter));
}

export async function send(redrive: Redrive): Promise<void> {
  const { queue, queueUrl, options, interrupted, say, confirm } = redrive;
  if (options.id !== undefined) {
    return changeOne(redrive, 'Send this message back?', 'sent', (letter) =>
      queue.sendBack(letter, queueUrl),
    );
  }
  const isSelected = ({ reason }: DeadLetter) => (options.reason ?? reason) === reason;
  if (options.yes && !options['dry-run']) {
    const { sent, left } = await sendAll(redrive, isSelected);
    if (sent === 0 && !interrupted.aborted) say(nothingToSend(left, options.reason));
    return sayIncomplete(redrive);
  }

  const letters = await read(redrive);
  if (interrupted.aborted) return;
  const selected = letters.filter(isSelected);
  if (selected.length === 0) return say(nothingToSend(letters, options.reason));
  say(
    `${lettersByReason(selected)}\n\n${selected.length} to send, ${letters.length - selected.length} to keep in the dead-letter queue.`,
  );
  sayIncomplete(redrive);
  if (options['dry-run']) return say('Nothing was sent (--dry-run).');
  // Other consumers can receive the messages while the question is open. After a yes, they are received again.
  await queue.release();
  if (!(await confirm(`Send ${selected.length} back?`))) return say('Nothing was sent.');
  const ids = new Set(selected.map(({ messageId }) => messageId));
  const { sent } = await sendAll(redrive, ({ messageId }) => ids.has(messageId), letters.length);
  if (sent < ids.size && !interrupted.aborted)
    say(`${ids.size - sent} are no longer in the dead-letter queue.`);
}

/** Sends back the selected messages. Prints the numbers of messages even if it fails. */
async function sendAll(
  { queue, queueUrl, options, interrupted, say }: Redrive,
  isSelected: (letter: DeadLetter) => boolean,
  expected = 0,
): Promise<{ sent: number; left: DeadLetter[] }> {
  const limit = rateLimit(options.perSecond);
  /** Request ids of deliveries sent back. One that fails again returns as a new message, and is not sent twice. */
  const sent = new Set<string>();
  const left: DeadLetter[] = [];
  try {
    for await (const letter of queue.letters(interrupted, { perSecond: options.perSecond, expected })) {
      if (!isSelected(letter) || sent.has(letter.delivery.requestId)) {
        left.push(letter);
        continue;
      }
      await limit();
      await queue.sendBack(letter, queueUrl);
      sent.add(letter.delivery.requestId);
      say(`sent  ${letterLine(letter)}`);
    }
  } finally {
    if (sent.size > 0) say(`${sent.size} sent back, ${left.length} left in the dead-letter queue.`);
  }
  return { sent: sent.size, left };
}

/**
 * The message when there is nothing to send.
 *
 * @throws UsageError if no message has the given reason.
 */
function nothingToSend(letters: readonly DeadLetter[], reason: string | undefined): string {
  if (letters.length === 0) return EMPTY;
  const reasons = [...new Set(letters.map((letter) => letter.reason))].sort();
  throw new UsageError(`No message has the reason "${reason}". Existing reasons: ${reasons.join(', ')}`);
}

const EMPTY = 'The dead-letter queue is empty.';

/** Shows one message, asks for confirmation, and changes it. */
async function changeOne(
  { queue, options, interrupted, say, confirm }: Redrive,
  question: string,
  done: string,
  change: (letter: DeadLetter) => Promise<void>,
): Promise<void> {
  const shown = await find(queue, options.id, interrupted);
  if (!shown) return;
  say(`${letterLine(shown)}  ${shown.reason}`);
  if (options['dry-run']) return say(`Not ${done} (--dry-run).`);
  // Other consumers can receive the message while the question is open. It is received again afterwards, because only
  // the most recent receipt handle can delete a message.
  await queue.release();
  if (!options.yes && !(await confirm(question))) return say(`Not ${done}.`);
  const letter = await find(queue, options.id, interrupted);
  if (!letter) return;
  await change(letter);
  say(`${done}  ${letterLine(letter)}`);
}

/** Finds a message. Returns undefined if the search is interrupted. */
async function find(
  queue: DeadLetterQueue,
  id: string | undefined,
  signal: AbortSignal,
): Promise<DeadLetter | undefined> {
  for await (const letter of queue.letters(signal)) if (letter.messageId === id) return letter;
  if (signal.aborted) return undefined;
  const missed = queue.missed > 0 ? ` SQS did not return about ${queue.missed} messages: try again.` : '';
  throw new Error(
    `Message ${id} is not in the dead-letter queue, or another command is reading it.${missed}`,
  );
}

async function read({ queue, interrupted, showProgress }: Redrive): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  try {
    for await (const letter of queue.letters(interrupted)) {
      letters.push(letter);
      if (letters.length % 10 === 0) showProgress(`${letters.length} read`);
    }
  } finally {
    showProgress();
  }
  return letters;
}

/** Prints how many messages could not be read. */
function sayIncomplete({ queue: { hidden, missed }, say }: Redrive): void {
  if (hidden > 0)
    say(`Not shown: about ${hidden} that another command is reading, or was reading when it was killed.`);
  if (missed > 0) say(`Not shown: about ${missed} that SQS did not return. Run the command again.`);
}
