import { SQSClient } from '@aws-sdk/client-sqs';
import {
  type CommandLine,
  runCommand,
  STAGE_HELP,
  STAGE_OPTION,
  seeHelp,
  UsageError,
} from './command-line/command.ts';
import { positiveNumber } from './command-line/number-option.ts';
import { DeadLetterQueue } from './dead-letters/dead-letter-queue.ts';
import { deleteOne, list, send, show } from './dead-letters/redrive-commands.ts';
import { findStage, sayPlace } from './stage/deployed-stage.ts';

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
    process.stdout.write('Interrupted: there may be more.\n');
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

await runCommand(COMMAND, main);
