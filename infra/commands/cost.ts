import { type CommandLine, defineCommand, UsageError } from './command-line/command.ts';
import { positiveNumber } from './command-line/number-option.ts';
import type { Usage } from './cost/estimate.ts';
import prices from './cost/prices.json' with { type: 'json' };

const HELP = `Usage: npx vss-webhook cost [options]

Estimates the cost of a stage: per million sessions, the fixed monthly cost, and
the cost of exports and of the reconciliation with 8x8's log export. Lists how many
sessions per second each part of the stage can handle, and what raises that number.
The estimate combines the stage's template, measurements of deliveries, AWS's list
prices for ${prices.region} of ${prices.date} (infra/commands/cost/prices.json), and its
default quotas.

Options:
  --stage NAME       A stage of cdk.json. Default prod.
  --sessions NUMBER  Sessions per month. Default 1000000.
  --records NUMBER   Records in the table, which exports contain. Default 1000000.
  --hours NUMBER     Hours per day in which sessions occur. Default 12.
  --webhook-ms MS    Billed duration of the webhook function. Default 25.
  --recorder-ms MS   Billed duration of the recorder function, per batch. Default 50.
                     Both durations are assumptions: the stage's dashboard shows
                     the actual ones.
  --unsuccessful PERCENT
                     Share of unsuccessful sessions, which are also written to an
                     index. Default 43, as in 8x8's published examples.
  -h, --help         Show this help.
`;

const OPTIONS = {
  stage: { type: 'string', default: 'prod' },
  sessions: { type: 'string', default: '1000000' },
  records: { type: 'string', default: '1000000' },
  hours: { type: 'string', default: '12' },
  'webhook-ms': { type: 'string', default: '25' },
  'recorder-ms': { type: 'string', default: '50' },
  unsuccessful: { type: 'string', default: '43' },
} as const;

export const cost = defineCommand({
  name: 'cost',
  summary: 'estimate what a stage costs, and how far it scales',
  help: HELP,
  options: OPTIONS,
  async run({ values }, { stdout }) {
    const usage = usageOf(values);
    const { costTables } = await import('./cost/cost-tables.ts');
    stdout.write(await costTables(values.stage, usage));
    return 0;
  },
});

/** @throws UsageError */
export function usageOf(values: Omit<CommandLine<typeof OPTIONS>['values'], 'stage'>): Usage {
  const unsuccessful = Number(values.unsuccessful) / 100;
  if (values.unsuccessful.trim() === '' || !(unsuccessful >= 0 && unsuccessful <= 1))
    throw new UsageError(`Invalid --unsuccessful "${values.unsuccessful}": expected a number from 0 to 100`);
  return {
    sessions: positiveNumber('sessions', values.sessions),
    records: positiveNumber('records', values.records),
    hours: positiveNumber('hours', values.hours),
    webhookMs: positiveNumber('webhook-ms', values['webhook-ms']),
    recorderMs: positiveNumber('recorder-ms', values['recorder-ms']),
    unsuccessful,
  };
}
