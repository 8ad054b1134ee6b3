import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { isSurvived, survive } from './survive.ts';

const HELP = `Usage: npm run test:faults -- [options]

Delivers sessions to the local stack, some of them twice, late or in two
versions, while SQS, DynamoDB and EventBridge fail, throttle, respond late or not at all,
and functions are killed. Then compares the table with the expected records, and
the events with the changes of the table.
Exit code 1 if they differ. Takes about nine minutes for 20000 sessions.

Options:
  --sessions NUMBER  Number of sessions. Default: 20000.
  --seed NUMBER      Seed of the deliveries. Default: random.
  -h, --help         Show this help.
`;

const COMMAND = {
  name: 'test:faults',
  help: HELP,
  options: {
    sessions: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const sessions = wholeNumber('sessions', values.sessions, 1);
  const seed = wholeNumber('seed', values.seed, 0);
  const began = performance.now();
  process.stderr.write(`Seed ${seed}\n`);
  const outcome = await survive({ sessions, seed, progress: (text) => process.stderr.write(`${text}\n`) });
  const rows = [
    ['sessions', outcome.sessions],
    ['deliveries', outcome.deliveries],
    ['repeated after a response other than 200', outcome.repeated],
    ...[...outcome.faults].map(
      ([fault, count]) => [`calls to SQS, DynamoDB or EventBridge: ${fault}`, count] as const,
    ),
    ['functions killed', outcome.killed],
    ['dead letters during the outage', outcome.deadLettersOfOutage],
    ['redriven from the dead-letter queue', outcome.redriven],
    ['lost', outcome.lost],
    ['acknowledged but missing', outcome.acknowledgedButMissing],
    ['duplicated or not delivered', outcome.doubled],
    ['different from expected', outcome.different],
    ['changes without an event', outcome.events.missing],
    ['events without a change', outcome.events.unexpected],
    ['sessions with events in another order', outcome.events.disordered],
    ['seconds', Math.round((performance.now() - began) / 1_000)],
  ] as const;
  const table = rows.map(([label, count]) => [label, count.toLocaleString('en')]);
  process.stdout.write(`${machine()}, seed ${seed}\n${textTable(table)}\n`);
  if (!isSurvived(outcome)) throw new Error('The table or the events differ from what is expected.');
}

await runMeasurement(COMMAND, main);
