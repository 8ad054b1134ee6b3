import { rmSync } from 'node:fs';
import { readSettings, synthesize } from '../local/synthesize.ts';
import { readTemplate } from '../local/template.ts';
import { stackName } from '../stack-outputs.ts';
import { reasonOf } from '../terminal/reason-of.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { positiveNumber } from './command-line/number-option.ts';
import { exportsPerMonth, type Line, perMillion, perMonth } from './cost/estimate.ts';
import prices from './cost/prices.json' with { type: 'json' };

const HELP = `Usage: npm run cost -- [options]

What a million sessions cost in ${prices.region}, line by line, at AWS's list prices
of ${prices.date} (infra/commands/cost/prices.json), from the template of a stage and what
was measured of a delivery; what the stage costs a month besides; and what its
exports cost.

Options:
  --stage NAME       A stage of cdk.json. Default prod.
  --sessions NUMBER  Sessions a month. Default 1000000.
  --hours NUMBER     Hours of a day in which they come. Default 12.
  --webhook-ms MS    Billed duration of the webhook function. Default 25.
  --recorder-ms MS   Billed duration of the recorder function, per batch. Default 50.
                     Both are assumed: see the stage's dashboard for yours.
  --unsuccessful PERCENT
                     Sessions that were not successful, and are in the index for
                     it. Default 57, as of 8x8's published examples.
  -h, --help         Show this.
`;

/** Percent of the examples that were not successful. */
const UNSUCCESSFUL = 57;

const COMMAND = {
  name: 'cost',
  help: HELP,
  options: {
    stage: { type: 'string', default: 'prod' },
    sessions: { type: 'string', default: '1000000' },
    hours: { type: 'string', default: '12' },
    'webhook-ms': { type: 'string', default: '25' },
    'recorder-ms': { type: 'string', default: '50' },
    unsuccessful: { type: 'string', default: String(UNSUCCESSFUL) },
  },
} as const;

/** `npm run cost`: for whoever decides. */
async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const usage = {
    sessions: positiveNumber('sessions', values.sessions),
    hours: positiveNumber('hours', values.hours),
    webhookMs: positiveNumber('webhook-ms', values['webhook-ms']),
    recorderMs: positiveNumber('recorder-ms', values['recorder-ms']),
    unsuccessful: Number(values.unsuccessful) / 100,
  };
  if (values.unsuccessful.trim() === '' || !(usage.unsuccessful >= 0 && usage.unsuccessful <= 1))
    throw new UsageError(`--unsuccessful takes a number from 0 to 100, not "${values.unsuccessful}"`);

  checkStage(values.stage);
  const assembly = await synthesize(values.stage);
  try {
    const template = readTemplate(assembly, stackName(values.stage));
    process.stdout.write(
      report({
        'Per million sessions': perMillion(template, usage),
        'Fixed, per month': perMonth(template),
        'Exports, per month and million records': exportsPerMonth(template),
      }),
    );
  } finally {
    rmSync(assembly, { recursive: true });
  }
}

/** @throws UsageError where cdk.json has no such stage, or its settings are invalid. */
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
        ...lines.map(([what, amount, dollars]) => [what, amount, dollars.toFixed(2)]),
        ['Total', '', total.toFixed(2)],
      ]
        .map(
          ([what = '', amount = '', dollars = '']) =>
            `${what.padEnd(40)}${amount.padStart(18)}${dollars.padStart(8)}\n`,
        )
        .join('');
    })
    .join('\n');
}

await runCommand(COMMAND, main);
