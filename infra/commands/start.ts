import { DEFAULT_PORT } from '../local/running.ts';
import { type CommandLine, defineCommand, UsageError } from './command-line/command.ts';
import { wholeNumber } from './command-line/number-option.ts';

const HELP = `Usage: npx vss-webhook start [options]
       npm start

Runs the whole stack on this machine, from the template that cdk deploy would
deploy: queues, table and functions, with an HTTP server in place of API Gateway.
Delivers the examples that 8x8 publishes, except for one, which reconciliation
finds in 8x8's log export. Shows their records and events, and runs until Ctrl-C.

Options:
  --once         Stop after the examples. Exit code 1 if one was not recorded.
  --json         With --once: print only the records, as a JSON array, to standard
                 output.
  --events FILE  Also write each session event to this file, as a line of JSON.
  --consumers FILE
                 Also provision this CloudFormation template (JSON): rules, queues and
                 topics that receive session events. Prints its outputs.
  --no-examples  Do not deliver the examples.
  --logs         Show all log lines of the functions, not only warnings and errors.
  --port NUMBER  Port of the webhook. Default ${DEFAULT_PORT}; 0 for any free port.
  -h, --help     Show this help.
`;

const OPTIONS = {
  once: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  events: { type: 'string' },
  consumers: { type: 'string' },
  examples: { type: 'boolean', default: true },
  logs: { type: 'boolean', default: false },
  port: { type: 'string', default: String(DEFAULT_PORT) },
} as const;

export const start = defineCommand({
  name: 'start',
  summary: 'run the whole stack on this machine (npm start)',
  help: HELP,
  cleansUp: true,
  options: OPTIONS,
  async run({ values }, context) {
    const options = checkedOptions(values);
    const { eventWriter, readConsumers } = await import('./start/files.ts');
    const consumers = readConsumers(values.consumers, context.cwd);
    using events = eventWriter(values.events, context.cwd);
    const { runLocalStack } = await import('./start/run-local-stack.ts');
    return await runLocalStack({ ...options, events, consumers }, context);
  },
});

/** Checks which options are combined. @throws UsageError */
function checkedOptions(values: CommandLine<typeof OPTIONS>['values']) {
  if (values.json && !values.once) throw new UsageError('--json needs --once');
  if (values.once && !values.examples)
    throw new UsageError('--once cannot be combined with --no-examples: it stops after the examples');
  return { ...values, port: wholeNumber('port', values.port, 0, 65_535) };
}
