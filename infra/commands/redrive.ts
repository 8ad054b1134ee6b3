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
import { deleteOne, list, type Redrive, send, show } from './dead-letters/redrive-commands.ts';
import { resendEvents } from './session-events/resend-events.ts';
import { type DeployedStage, findStage, printPlace } from './stage/deployed-stage.ts';

const HELP = `Usage: npm run redrive -- [command] [options]

Inspects the dead-letter queue, which keeps deliveries that could not be recorded,
and sends them back to the queue after you have fixed the cause. Sending a delivery
back is idempotent: one that was already recorded changes nothing. A delivery that
is sent back is recorded even if its sub-account is not in subAccountIds; use
--reason to select which ones to send.

Commands:
  list            List all messages by reason (default).
  show ID         Show one message in full, with phone numbers masked.
  send [ID]       Send one message, or without ID all of them, back to the queue.
  delete ID       Delete one message permanently, for example to erase a session.
  events          Publish the session events that the pipe has given up. They have a
                  queue of their own. The stream of the table keeps a change for 24
                  hours, so that older events cannot be published. Consumers may
                  receive an event twice.

send, delete and events show what they will do and ask for confirmation.

Options:
${STAGE_HELP}
  --reason NAME      With send: only messages with this reason.
  --rate NUMBER      With send: maximum messages per second. Default 20.
  --dry-run          With send, delete and events: show what would be done, and stop.
  --discard          With events: delete the messages that cannot be published.
  --yes              With send, delete and events: skip the confirmation. Required if there
                     is no terminal.
  --unmasked         With show: do not mask phone numbers.
  -h, --help         Show this help.

Ctrl-C stops after the current message. An interruption loses nothing: a message
is deleted only after SQS has accepted it in the queue, or EventBridge its event.
Messages that the command has received are hidden from other commands until it
ends. If it is killed, they stay hidden for two minutes, or longer for a large
queue.
`;

const COMMAND = {
  name: 'redrive',
  help: HELP,
  takesArguments: true,
  cleansUp: true,
  options: {
    ...STAGE_OPTION,
    reason: { type: 'string' },
    rate: { type: 'string', default: '20' },
    'dry-run': { type: 'boolean', default: false },
    discard: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    unmasked: { type: 'boolean', default: false },
  },
} as const;
type Values = CommandLine<typeof COMMAND.options>['values'];

interface Run {
  stage: DeployedStage;
  options: Redrive['options'] & { discard: boolean };
  interrupted: AbortSignal;
}

/** The commands, and whether each takes the id of a message and changes something. */
const COMMANDS = {
  list: { run: onDeliveries(list), takesId: 'never', changes: false },
  show: { run: onDeliveries(show), takesId: 'always', changes: false },
  send: { run: onDeliveries(send), takesId: 'perhaps', changes: true },
  delete: { run: onDeliveries(deleteOne), takesId: 'always', changes: true },
  events: { run: resendEvents, takesId: 'never', changes: true },
} as const;

/** Runs a command on the dead-letter queue of the deliveries. */
function onDeliveries(command: (redrive: Redrive) => Promise<void>) {
  return async ({ stage, options, interrupted }: Run): Promise<void> => {
    const { QueueUrl, DeadLetterQueueUrl } = stage.outputs;
    await using queue = new DeadLetterQueue(new SQSClient(stage.settings('sqs')), DeadLetterQueueUrl);
    await command({ queue, queueUrl: QueueUrl, options, interrupted });
  };
}

async function main({ values, args, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const { run, id } = readCommand(args, values);
  const perSecond = positiveNumber('rate', values.rate);
  const stage = await findStage(values.stage);
  printPlace(stage);
  await run({ stage, options: { ...values, id, perSecond }, interrupted });
  if (interrupted.aborted) {
    process.stdout.write('Interrupted: the output may be incomplete.\n');
    process.exitCode = 130;
  }
}

/** @throws UsageError */
function readCommand([name = 'list', id, ...rest]: readonly string[], values: Values) {
  const found = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (!found) throw new UsageError(seeHelp('redrive', `Unknown command "${name}"`));
  const { run, takesId, changes } = found;
  if (takesId === 'never' && id !== undefined)
    throw new UsageError(seeHelp('redrive', `${name} takes no message id`));
  if (takesId === 'always' && id === undefined)
    throw new UsageError(seeHelp('redrive', `${name} needs the id of a message`));
  if (rest.length > 0) throw new UsageError(seeHelp('redrive', `${name} takes only one message id`));
  if (values.reason !== undefined && (name !== 'send' || id !== undefined))
    throw new UsageError(seeHelp('redrive', '--reason needs the command send, without an id'));
  if (values.discard && name !== 'events')
    throw new UsageError(seeHelp('redrive', '--discard needs the command events'));
  if (!changes && (values['dry-run'] || values.yes))
    throw new UsageError(seeHelp('redrive', '--dry-run and --yes need the command send, delete or events'));
  return { run, id };
}

await runCommand(COMMAND, main);
