import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { randomFrom } from '../random.ts';
import { deliverAll } from './deliver-all.ts';
import { hostileBodies } from './hostile.ts';
import { parseAll } from './parse-all.ts';

const HELP = `Usage: npm run test:fuzz -- [options]

Parses a million hostile bodies (8x8's payloads with random changes, damaged
bytes, worst cases of up to 256 KiB), and delivers a hundred thousand to the
local stack. Exit code 1 if parsing a body takes too long or leaks memory, or if
a delivery violates the HTTP contract.

Options:
  --parses NUMBER      Number of bodies to parse. Default: 1000000.
  --deliveries NUMBER  Number of bodies to deliver. Default: 100000.
  --seed NUMBER        Seed of the bodies. Default: random.
  -h, --help           Show this help.
`;

const COMMAND = {
  name: 'test:fuzz',
  help: HELP,
  options: {
    parses: { type: 'string', default: '1000000' },
    deliveries: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const seed = wholeNumber('seed', values.seed, 0);
  const parses = wholeNumber('parses', values.parses, 1);
  const deliveries = wholeNumber('deliveries', values.deliveries, 1);
  const progress = (text: string) => void process.stderr.write(`${text}\n`);
  progress(`Seed ${seed}`);
  const read = parseAll(hostileBodies(randomFrom(seed)), parses, { isTimed: true }, progress);
  const delivered = await deliverAll(hostileBodies(randomFrom(seed + 1)), deliveries, progress);
  const table = [...read.table, ...delivered.table];
  const complaints = [...read.complaints, ...delivered.complaints];
  process.stdout.write(
    `${machine()}, seed ${seed}\n${textTable(table.map(([name, value]) => [name, String(value)]))}\n`,
  );
  if (complaints.length > 0) throw new Error(complaints.slice(0, 20).join('\n'));
}

await runMeasurement(COMMAND, main);
