import { rmSync } from 'node:fs';
import { readSettings, synthesize } from '../local/synthesize.ts';
import { readTemplate } from '../local/template.ts';
import { stackName } from '../stack-outputs.ts';
import { reasonOf } from '../terminal/reason-of.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { positiveNumber } from './command-line/number-option.ts';
import { exportsPerMonth, perMillion, perMonth } from './cost/estimate.ts';
import prices from './cost/prices.json' with { type: 'json' };
import { reconciliationPerMonth } from './cost/reconciliation.ts';
import { sessionEventsPerMonth } from './cost/session-events.ts';
import type { Line } from './cost/template-figures.ts';

const HELP = `Usage: npm run cost -- [options]

Estimates the cost of a stage: per million sessions, the fixed monthly cost, and
the cost of exports and of the reconciliation with 8x8's log export. The estimate
combines the stage's template, measurements of deliveries, and AWS's list prices
for ${prices.region} of ${prices.date} (infra/commands/cost/prices.json).

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

const COMMAND = {
  name: 'cost',
  help: HELP,
  options: {
    stage: { type: 'string', default: 'prod' },
    sessions: { type: 'string', default: '1000000' },
    records: { type: 'string', default: '1000000' },
    hours: { type: 'string', default: '12' },
    'webhook-ms': { type: 'string', default: '25' },
    'recorder-ms': { type: 'string', default: '50' },
    unsuccessful: { type: 'string', default: '43' },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const usage = {
    sessions: positiveNumber('sessions', values.sessions),
    records: positiveNumber('records', values.records),
    hours: positiveNumber('hours', values.hours),
    webhookMs: positiveNumber('webhook-ms', values['webhook-ms']),
    recorderMs: positiveNumber('recorder-ms', values['recorder-ms']),
    unsuccessful: Number(values.unsuccessful) / 100,
  };
  if (values.unsuccessful.trim() === '' || !(usage.unsuccessful >= 0 && usage.unsuccessful <= 1))
    throw new UsageError(`Invalid --unsuccessful "${values.unsuccessful}": expected a number from 0 to 100`);

  checkStage(values.stage);
  const assembly = await synthesize(values.stage);
  try {
    const template = readTemplate(assembly, stackName(values.stage));
    process.stdout.write(
      report({
        'Per million sessions': perMillion(template, usage),
        'Fixed monthly cost': perMonth(template),
        'Monthly cost of exports': exportsPerMonth(template, usage),
        'Monthly cost of reconciliation': reconciliationPerMonth(template, usage.sessions),
        'Monthly cost of session events': sessionEventsPerMonth(template, usage),
      }),
    );
  } finally {
    rmSync(assembly, { recursive: true });
  }
}

/** @throws UsageError if cdk.json has no such stage, or its settings are invalid. */
function checkStage(stage: string): void {
  try {
    readSettings(stage);
  } catch (error) {
    throw new UsageError(reasonOf(error));
  }
}

function report(tables: Readonly<Record<string, readonly Line[]>>): string {
  return Object.entries(tables)
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => {
      const total = lines.reduce((sum, [, , dollars]) => sum + dollars, 0);
      return [
        [title, '', 'US$'],
        ...lines.map(([item, amount, dollars]) => [item, amount, dollars.toFixed(2)]),
        ['Total', '', total.toFixed(2)],
      ]
        .map(
          ([item = '', amount = '', dollars = '']) =>
            `${item.padEnd(40)}${amount.padStart(18)}${dollars.padStart(8)}\n`,
        )
        .join('');
    })
    .join('\n');
}

await runCommand(COMMAND, main);
