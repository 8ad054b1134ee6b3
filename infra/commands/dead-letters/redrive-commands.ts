import { rateLimit } from '../../../functions/rate-limit.ts';
import { progress } from '../../terminal/progress.ts';
import { UsageError } from '../command-line/command.ts';
import { confirm } from '../command-line/confirm.ts';
import type { DeadLetter, DeadLetterQueue } from './dead-letter-queue.ts';
import { letterInFull, letterLine, lettersByReason } from './dead-letter-text.ts';

/** What the commands of `npm run redrive` work on. */
export interface Redrive {
  queue: DeadLetterQueue;
  /** Where deliveries wait to be recorded. */
  queueUrl: string;
  options: {
    /** Of the one message that the command is about. */
    id: string | undefined;
    reason?: string | undefined;
    perSecond: number;
    'dry-run': boolean;
    yes: boolean;
    unmasked: boolean;
  };
  interrupted: AbortSignal;
}

export async function list({ queue, interrupted }: Redrive): Promise<void> {
  const letters = await read(queue, interrupted);
  say(letters.length === 0 ? EMPTY : lettersByReason(letters));
  sayWhatIsNotShown(queue);
}

export async function show({ queue, options, interrupted }: Redrive): Promise<void> {
  const letter = await find(queue, options.id, interrupted);
  if (letter) say(letterInFull(letter, options));
}

export async function deleteOne(redrive: Redrive): Promise<void> {
  const { queue } = redrive;
  await changeOne(redrive, 'Delete this message permanently?', 'deleted', (letter) => queue.delete(letter));
}

export async function send(redrive: Redrive): Promise<void> {
  const { queue, queueUrl, options, interrupted } = redrive;
  if (options.id !== undefined) {
    return changeOne(redrive, 'Send this message back?', 'sent', (letter) =>
      queue.sendBack(letter, queueUrl),
    );
  }
  const isMeant = ({ reason }: DeadLetter) => (options.reason ?? reason) === reason;
  if (options.yes && !options['dry-run']) {
    const { sent, left } = await sendAll(redrive, isMeant);
    if (sent === 0 && !interrupted.aborted) say(nothingMeant(left, options.reason));
    return sayWhatIsNotShown(queue);
  }

  const letters = await read(queue, interrupted);
  if (interrupted.aborted) return;
  const meant = letters.filter(isMeant);
  if (meant.length === 0) return say(nothingMeant(letters, options.reason));
  say(`${lettersByReason(meant)}\n\n${meant.length} to send, ${letters.length - meant.length} to leave.`);
  sayWhatIsNotShown(queue);
  if (options['dry-run']) return say('Nothing was sent (--dry-run).');
  // Others can see them while the question is on the screen; then they are received again.
  await queue.release();
  if (!(await confirm(`Send ${meant.length} back?`, interrupted))) return say('Nothing was sent.');
  const ids = new Set(meant.map(({ messageId }) => messageId));
  const { sent } = await sendAll(redrive, ({ messageId }) => ids.has(messageId), letters.length);
  if (sent < ids.size && !interrupted.aborted) say(`${ids.size - sent} are not there any more.`);
}

/** Sends back what is meant, and says how much that was even if it fails. */
async function sendAll(
  { queue, queueUrl, options, interrupted }: Redrive,
  isMeant: (letter: DeadLetter) => boolean,
  expected = 0,
): Promise<{ sent: number; left: DeadLetter[] }> {
  const limit = rateLimit(options.perSecond);
  /** Requests whose deliveries were sent back. One that fails again comes as another message, and is not sent twice. */
  const sent = new Set<string>();
  const left: DeadLetter[] = [];
  try {
    for await (const letter of queue.letters(interrupted, { perSecond: options.perSecond, expected })) {
      if (!isMeant(letter) || sent.has(letter.delivery.requestId)) {
        left.push(letter);
        continue;
      }
      await limit();
      await queue.sendBack(letter, queueUrl);
      sent.add(letter.delivery.requestId);
      say(`sent  ${letterLine(letter)}`);
    }
  } finally {
    if (sent.size > 0) say(`${sent.size} sent back, ${left.length} left where they are.`);
  }
  return { sent: sent.size, left };
}

/**
 * Why there is nothing to send.
 *
 * @throws UsageError when no message has the reason that was asked for.
 */
function nothingMeant(letters: readonly DeadLetter[], reason: string | undefined): string {
  if (letters.length === 0) return EMPTY;
  const reasons = [...new Set(letters.map((letter) => letter.reason))].sort();
  throw new UsageError(`No message has the reason "${reason}". Reasons there: ${reasons.join(', ')}`);
}

const EMPTY = 'The dead-letter queue is empty.';

/** Changes one message, after it was shown and confirmed. */
async function changeOne(
  { queue, options, interrupted }: Redrive,
  question: string,
  done: string,
  change: (letter: DeadLetter) => Promise<void>,
): Promise<void> {
  const shown = await find(queue, options.id, interrupted);
  if (!shown) return;
  say(`${letterLine(shown)}  ${shown.reason}`);
  if (options['dry-run']) return say(`Not ${done} (--dry-run).`);
  // Others can see it while the question is on the screen. It is then received again: only the last one who has
  // received a message can delete it.
  await queue.release();
  if (!options.yes && !(await confirm(question, interrupted))) return say(`Not ${done}.`);
  const letter = await find(queue, options.id, interrupted);
  if (!letter) return;
  await change(letter);
  say(`${done}  ${letterLine(letter)}`);
}

/** Finds a message; undefined when the search is interrupted. */
async function find(
  queue: DeadLetterQueue,
  id: string | undefined,
  signal: AbortSignal,
): Promise<DeadLetter | undefined> {
  for await (const letter of queue.letters(signal)) if (letter.messageId === id) return letter;
  if (signal.aborted) return undefined;
  const missed = queue.missed > 0 ? `, or among about ${queue.missed} that SQS did not show: try again` : '';
  throw new Error(
    `There is no message ${id} in the dead-letter queue, or another command is reading it${missed}.`,
  );
}

async function read(queue: DeadLetterQueue, signal: AbortSignal): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  try {
    for await (const letter of queue.letters(signal)) {
      letters.push(letter);
      if (letters.length % 10 === 0) progress(`${letters.length} read`);
    }
  } finally {
    progress();
  }
  return letters;
}

/** Says how many messages there are beside those that were read. */
function sayWhatIsNotShown({ hidden, missed }: DeadLetterQueue): void {
  if (hidden > 0)
    say(`Not shown: about ${hidden} that another command is reading, or was when it was killed.`);
  if (missed > 0) say(`Not shown: about ${missed} that SQS did not return. Run the command again.`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
