import { parseArgs } from 'node:util';
import { DEFAULT_PORT } from './running.ts';

export const HELP = `Usage: npm start -- [options]

Runs the whole stack on this machine, from the template that cdk deploy would
ship: queues, table and functions, and an HTTP endpoint in place of API Gateway.
Delivers the examples that 8x8 publishes, shows the records they became, and
stays until Ctrl-C.

Options:
  --once         Stop after the examples. Exit code 1 if one was not recorded.
  --json         With --once: print the records as a JSON array, and nothing
                 else, to standard output. (npm's own heading: npm start -s -- …)
  --no-examples  Deliver nothing.
  --logs         Show everything that the functions log, not only warnings
                 and errors.
  --port NUMBER  Where the webhook listens. Default ${DEFAULT_PORT}; 0 for any free port.
  -h, --help     Show this.
`;

export interface Options {
  once: boolean;
  json: boolean;
  examples: boolean;
  logs: boolean;
  port: number;
  help: boolean;
}

/**
 * Reads the command line.
 *
 * @throws Error that says which option is wrong.
 */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      examples: { type: 'boolean', default: true },
      logs: { type: 'boolean', default: false },
      port: { type: 'string', default: String(DEFAULT_PORT) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new Error(`--port takes a number from 0 to 65535, not "${values.port}"`);
  }
  if (values.json && !values.once) throw new Error('--json goes with --once');
  if (values.once && !values.examples)
    throw new Error('--once stops after the examples; it does not go with --no-examples');
  return { ...values, port };
}
