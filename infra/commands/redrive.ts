import { type CommandLine, defineCommand, seeHelp, UsageError } from './command-line/command.ts';
import { positiveNumber } from './command-line/number-option.ts';
import { STAGE_HELP, STAGE_OPTION } from './command-line/stage-option.ts';

const HELP = `Usage: npx vss-webhook redrive [command] [options]

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
  --yes              With send, delete and events: skip the confirmation. Required
                     if there is no terminal.
  --unmasked         With show: do not mask phone numbers.
  -h, --help         Show this help.

Ctrl-C stops after the current message. An interruption loses nothing: a message
is deleted only after SQS has accepted it in the queue, or EventBridge its event.
Messages that the command has received are hidden from other commands until it
ends. If it is killed, they stay hidden for two minutes, or longer for a large
queue.
`;

const OPTIONS = {
  ...STAGE_OPTION,
  reason: { type: 'string' },
  rate: { type: 'string', default: '20' },
  'dry-run': { type: 'boolean', default: false },
  discard: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  unmasked: { type: 'boolean', default: false },
} as const;
type Values = CommandLine<typeof OPTIONS>['values'];

/** Whether each command takes the id of a message and changes something. */
const COMMANDS = {
  list: { takesId: 'never', changes: false },
  show: { takesId: 'always', changes: false },
  send: { takesId: 'perhaps', changes: true },
  delete: { takesId: 'always', changes: true },
  events: { takesId: 'never', changes: true },
} as const;
export type RedriveCommand = keyof typeof COMMANDS;

export const redrive = defineCommand({
  name: 'redrive',
  summary: 'inspect the dead-letter queue, and send deliveries back after a fix',
  help: HELP,
  takesArguments: true,
  cleansUp: true,
  options: OPTIONS,
  async run({ values, args }, context) {
    const { command, id } = readCommand(args, values);
    const perSecond = positiveNumber('rate', values.rate);
    const { runRedrive } = await import('./dead-letters/run-redrive.ts');
    return runRedrive(command, { ...values, id, perSecond }, context);
  },
});

function isCommand(name: string): name is RedriveCommand {
  return Object.hasOwn(COMMANDS, name);
}

/** @throws UsageError */
function readCommand([name = 'list', id, ...rest]: readonly string[], values: Values) {
  if (!isCommand(name)) throw new UsageError(seeHelp('redrive', `Unknown command "${name}"`));
  const { takesId, changes } = COMMANDS[name];
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
  return { command: name, id };
}
