import { SQSClient } from '@aws-sdk/client-sqs';
import { rateLimit } from '../../functions/rate-limit.ts';
import { progress } from '../terminal/progress.ts';
import {
  type CommandLine,
  runCommand,
  STAGE_HELP,
  STAGE_OPTION,
  seeHelp,
  UsageError,
} from './command-line/command.ts';
import { confirm } from './command-line/confirm.ts';
import { positiveNumber } from './command-line/number-option.ts';
import { type DeadLetter, DeadLetterQueue } from './dead-letters/dead-letter-queue.ts';
import { letterInFull, letterLine, lettersByReason } from './dead-letters/dead-letter-text.ts';
import { findStage, sayPlace } from './stage/stage.ts';

const HELP = `Usage: npm run redrive -- [command] [options]

Shows the dead-letter queue: deliveries that could not be recorded. Sends them
back to be recorded, once the cause is fixed. Sending back what was recorded
already does no harm. What is sent back is recorded whatever its sub-account is;
--reason tells them apart.

Commands:
  list            All messages, by reason. The default.
  show ID         One message in full. Phone numbers are masked.
  send [ID]       Send messages back to the queue: all, or one.
  delete ID       Delete one message permanently, to erase a session for example.

send and delete show what they would do, and ask before they do it.

Options:
${STAGE_HELP}
  --reason NAME      With send: only messages with this reason.
  --rate NUMBER      With send: messages per second, at most. Default 20.
  --dry-run          With send and delete: only show what they would do.
  --yes              With send and delete: do not ask. Without a terminal, they
                     change nothing without it.
  --unmasked         With show: show phone numbers.
  -h, --help         Show this.

Ctrl-C ends a command after the current message. An interruption loses nothing:
a message leaves the dead-letter queue only after it has arrived in the queue.
Messages that were only read are visible to other commands again at the end. If
the command is killed, that takes two minutes, or longer in a large queue.
`;

const COMMAND = {
  name: 'redrive',
  help: HELP,
  takesArguments: true,
  finishes: true,
  options: {
    ...STAGE_OPTION,
    reason: { type: 'string' },
    rate: { type: 'string', default: '20' },
    'dry-run': { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    unmasked: { type: 'boolean', default: false },
  },
} as const;
type Values = CommandLine<typeof COMMAND.options>['values'];

/** What the commands share. */
interface Redrive {
  queue: DeadLetterQueue;
  /** Where deliveries wait to be recorded. */
  queueUrl: string;
  options: Values & { id: string | undefined; perSecond: number };
  interrupted: AbortSignal;
}

const COMMANDS = { list, show, send, delete: deleteOne };

/** `npm run redrive`: for the operator of a stage. */
async function main({ values, args, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const { run, id } = readCommand(args, values);
  const perSecond = positiveNumber('rate', values.rate);
  const stage = await findStage(values.stage);
  sayPlace(stage);
  const { QueueUrl, DeadLetterQueueUrl } = stage.outputs;
  await using queue = new DeadLetterQueue(new SQSClient(stage.settings('sqs')), DeadLetterQueueUrl);
  await run({ queue, queueUrl: QueueUrl, options: { ...values, id, perSecond }, interrupted });
  if (interrupted.aborted) {
    say('Interrupted: there may be more.');
    process.exitCode = 130;
  }
}

/** @throws UsageError */
function readCommand([name = 'list', id, ...rest]: readonly string[], values: Values) {
  const run = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (!run) throw new UsageError(seeHelp('redrive', `There is no command "${name}"`));
  const takesId = { list: 'never', show: 'always', send: 'perhaps', delete: 'always' }[name];
  if (rest.length > 0 || (id === undefined ? takesId === 'always' : takesId === 'never')) {
    throw new UsageError(
      seeHelp(
        'redrive',
        'show and delete take the id of one message, send may take one, and list takes none',
      ),
    );
  }
  const changes = name === 'send' || name === 'delete';
  if (values.reason !== undefined && (name !== 'send' || id !== undefined))
    throw new UsageError(seeHelp('redrive', '--reason goes with send, without an id'));
  if (!changes && (values['dry-run'] || values.yes))
    throw new UsageError(seeHelp('redrive', '--dry-run and --yes go with send and delete'));
  return { run, id };
}

async function list({ queue, interrupted }: Redrive): Promise<void> {
  const letters = await read(queue, interrupted);
  say(letters.length === 0 ? EMPTY : lettersByReason(letters));
  sayWhatIsNotShown(queue);
}

async function show({ queue, options, interrupted }: Redrive): Promise<void> {
  const letter = await find(queue, options.id, interrupted);
  if (letter) say(letterInFull(letter, options));
}

async function deleteOne(redrive: Redrive): Promise<void> {
  const { queue } = redrive;
  await changeOne(redrive, 'Delete this message permanently?', 'deleted', (letter) => queue.delete(letter));
}

async function send(redrive: Redrive): Promise<void> {
  const { queue, queueUrl, options, interrupted } = redrive;
  if (options.id !== undefined) {
    return changeOne(redrive, 'Send this message back?', 'sent', (letter) =>
      queue.sendBack(letter, queueUrl),
    );
  }
  const isMeant = ({ reason }: DeadLetter) => (options.reason ?? reason) === reason;
  if (options.yes && !options['dry-run']) {
    const { sent, left } = await sendAll(redrive, isMeant);
    if (sent === 0 && !interrupted.aborted) say(nothingMeant(left, options));
    return sayWhatIsNotShown(queue);
  }

  const letters = await read(queue, interrupted);
  if (interrupted.aborted) return;
  const meant = letters.filter(isMeant);
  if (meant.length === 0) return say(nothingMeant(letters, options));
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
function nothingMeant(letters: readonly DeadLetter[], { reason }: Values): string {
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

await runCommand(COMMAND, main);
