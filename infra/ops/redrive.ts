import { parseArgs } from 'node:util';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { rateLimit } from '../../functions/rate-limit.ts';
import { parseJson } from '../../functions/vss/json.ts';
import { inOneLine, printable } from '../printable.ts';
import { age } from './age.ts';
import { runCommand } from './command.ts';
import { type DeadLetter, deleteLetter, receiveAll, release, sendBack } from './dead-letters.ts';
import { masked } from './masked.ts';
import { findStage } from './stage.ts';

const HELP = `Usage: npm run redrive -- [command] [options]

Looks at the dead-letter queue: deliveries that could not be recorded. Sends
them back to be recorded once the cause is fixed. Sending back what
was recorded already does no harm. What is sent back is recorded whatever its
sub-account; --reason tells them apart.

Commands:
  list            What is there, by reason. The default.
  show ID         One message, whole; phone numbers are masked.
  send            Send messages back to the queue.
  delete ID       Delete one message for ever; to erase a session, for example.

Options:
  --stage NAME    The deployed stage, with the shell's AWS credentials and
                  region. Or local, while npm start runs (local:4000 if it
                  listens on another port than 3000). Default dev.
  --reason NAME   With send: only messages with this reason.
  --rate NUMBER   With send: at most so many a second. Default 20.
  --dry-run       With send: say what would be sent, and send nothing.
  --unmasked      With show: show phone numbers.
  -h, --help      Show this.

Ctrl-C ends a command after the message at hand. Nothing is lost by any
interruption: a message leaves the dead-letter queue only after it has arrived
in the queue, and one that was only looked at is visible again within two
minutes.
`;

/** `npm run redrive`: for the operator of a stage. */
async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return say(HELP.trimEnd());

  const { outputs, sqs: settings } = await findStage(options.stage);
  const sqs = new SQSClient(settings);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());

  const held = new Set<DeadLetter>();
  /** Letters that were looked at and stay where they are. */
  const kept: DeadLetter[] = [];
  /** Requests whose deliveries were sent back. One that fails again comes as another message, and is not sent twice. */
  const sent = new Set<string>();
  const queues = { queueUrl: outputs.QueueUrl, deadLetterQueueUrl: outputs.DeadLetterQueueUrl };
  const limit = rateLimit(options.rate);
  let deleted = false;
  try {
    for await (const letter of receiveAll(sqs, queues.deadLetterQueueUrl, held, interrupted.signal)) {
      const isMeant = options.command === 'send' && (options.reason ?? letter.reason) === letter.reason;
      const { requestId } = letter.delivery;
      if (!isMeant || options.dryRun || sent.has(requestId)) {
        kept.push(letter);
        if (isMeant) say(`${options.dryRun ? 'would send' : 'came back'}  ${line(letter)}  ${letter.reason}`);
        if (letter.messageId !== options.id) continue;
        if (options.command === 'delete') {
          await deleteLetter(sqs, queues.deadLetterQueueUrl, letter);
          held.delete(letter);
          deleted = true;
          say(`deleted  ${line(letter)}`);
        }
        break;
      } else {
        await limit();
        await sendBack(sqs, queues, letter);
        held.delete(letter);
        sent.add(requestId);
        say(`sent  ${line(letter)}`);
      }
    }
  } finally {
    await release(sqs, queues.deadLetterQueueUrl, [...held]);
  }

  if (options.command === 'delete' && !deleted) throw new Error(notThere(options.id));
  if (options.command === 'list') say(listing(kept));
  if (options.command === 'show')
    say(
      whole(
        kept.find(({ messageId }) => messageId === options.id),
        options,
      ),
    );
  if (options.command === 'send') say(`${sent.size} sent back, ${kept.length} left where they are.`);
  if (interrupted.signal.aborted) say('Interrupted: there may be more.');
}

interface Options {
  command: string;
  id: string | undefined;
  stage: string;
  reason: string | undefined;
  rate: number;
  dryRun: boolean;
  unmasked: boolean;
  help: boolean;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stage: { type: 'string', default: 'dev' },
      reason: { type: 'string' },
      rate: { type: 'string', default: '20' },
      'dry-run': { type: 'boolean', default: false },
      unmasked: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command = 'list', id, ...rest] = positionals;
  if (!['list', 'show', 'send', 'delete'].includes(command))
    throw new Error(`There is no command ${command}. See --help`);
  const isAboutOne = command === 'show' || command === 'delete';
  if (rest.length > 0 || isAboutOne !== (id !== undefined)) {
    throw new Error('show and delete take the id of one message; list and send take none. See --help');
  }
  const rate = Number(values.rate);
  if (!(rate > 0)) throw new Error(`--rate takes a number greater than 0, not "${values.rate}"`);
  if (command !== 'send' && (values['dry-run'] || values.reason !== undefined)) {
    throw new Error('--reason and --dry-run go with send. See --help');
  }
  return { ...values, command, id, rate, dryRun: values['dry-run'], reason: values.reason };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const notThere = (id: string | undefined) =>
  `There is no message ${id} in the dead-letter queue, or another command is looking at it.`;

/** All letters, by reason, the most frequent first. */
function listing(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'The dead-letter queue is empty.';
  const byReason = Object.entries(Object.groupBy(letters, ({ reason }) => reason)).map(
    ([reason, group = []]) => [reason, group] as const,
  );
  return byReason
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, group]) =>
      [`${reason}: ${group.length}`, ...group.map((letter) => `  ${line(letter)}`)].join('\n'),
    )
    .join('\n\n');
}

/** A letter in one line: its id, how old it is, and which session it is about. */
function line({ messageId, delivery }: DeadLetter): string {
  return `${messageId}  ${age(Date.parse(delivery.receivedAt)).padStart(4)}  ${sessionOf(delivery.body)}`;
}

/** A letter and all that is known of it. */
function whole(letter: DeadLetter | undefined, { id, unmasked }: Options): string {
  if (!letter) throw new Error(notThere(id));
  const { messageId, reason, issues, delivery } = letter;
  const body =
    typeof delivery.body === 'string'
      ? delivery.body
      : `not UTF-8, in base64: ${Buffer.from(delivery.body).toString('base64')}`;
  const text = [
    `message     ${messageId}`,
    `reason      ${reason}`,
    ...(issues === undefined ? [] : [`issues      ${issues}`]),
    `receivedAt  ${delivery.receivedAt}`,
    `requestId   ${delivery.requestId}`,
    '',
    unmasked ? body : masked(body),
  ];
  return printable(text.join('\n'));
}

const SessionId = v.object({ payload: v.object({ sessionId: v.string() }) });

function sessionOf(body: string | Uint8Array): string {
  try {
    const { payload } = v.parse(SessionId, typeof body === 'string' ? parseJson(body) : undefined);
    return inOneLine(masked(payload.sessionId.slice(0, 128)));
  } catch {
    return '(no session id)';
  }
}

await runCommand(main);
