import { type CommandLine, runCommand } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { isSurvived, survive } from './survive.ts';

const HELP = `Usage: npm run test:faults -- [options]

Delivers sessions to the local stack, some of them twice, late or in two
versions, while SQS and DynamoDB fail, throttle, answer late or not at all, and
functions are killed; then compares the table with what it has to be. Exit code
1 if they differ. With 20000 sessions about five minutes.

Options:
  --sessions NUMBER  Default 20000.
  --seed NUMBER      Chooses the deliveries. Default: another each time.
  -h, --help         Show this.
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
    ['repeated, because not answered 200', outcome.repeated],
    ...[...outcome.faults].map(([fault, count]) => [`calls to SQS or DynamoDB: ${fault}`, count] as const),
    ['functions killed', outcome.killed],
    ['dead letters of the outage', outcome.deadLettersOfOutage],
    ['sent back from the dead-letter queue', outcome.redriven],
    ['lost', outcome.lost],
    ['acknowledged but missing', outcome.acknowledgedButMissing],
    ['doubled', outcome.doubled],
    ['other than it has to be', outcome.different],
    ['seconds', Math.round((performance.now() - began) / 1_000)],
  ] as const;
  const table = rows.map(([what, count]) => [what, count.toLocaleString('en')]);
  process.stdout.write(`${machine()}, seed ${seed}\n${textTable(table)}\n`);
  if (!isSurvived(outcome)) throw new Error('The table is not what it has to be.');
}

await runCommand(COMMAND, main);
