import { parseArgs } from 'node:util';
import { runCommand } from '../../infra/ops/command.ts';
import { textTable } from '../../infra/text-table.ts';
import { machine } from '../machine.ts';
import { randomFrom } from '../random.ts';
import { deliverAll } from './deliver-all.ts';
import { hostileBodies } from './hostile.ts';
import { parseAll } from './parse-all.ts';

/** Nothing else is answered while a body is read. */
const MAX_STALL_MS = 50;

const HELP = `Usage: npm run test:fuzz -- [options]

Reads a million hostile bodies (8x8's payloads changed here and there, damaged
bytes, the worst that fits into 256 KiB), and delivers a hundred thousand to the
local stack. Exit code 1 if one takes too long, they leave memory behind, or a
delivery is answered or kept other than the contract says.

Options:
  --parses NUMBER      Default 1000000.
  --deliveries NUMBER  Default 100000.
  --seed NUMBER        Chooses the bodies. Default: another each time.
  -h, --help           Show this.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      parses: { type: 'string', default: '1000000' },
      deliveries: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const number = (name: 'parses' | 'deliveries' | 'seed') => {
    const value = values[name];
    if (!/^\d{1,9}$/.test(value)) throw new Error(`--${name} takes a whole number, not "${value}"`);
    return Number(value);
  };
  const [seed, parses, deliveries] = [number('seed'), number('parses'), number('deliveries')];
  if (parses === 0 || deliveries === 0)
    throw new Error('--parses and --deliveries take a whole number from 1');
  const progress = (text: string) => void process.stderr.write(`${text}\n`);
  progress(`Seed ${seed}`);
  const read = parseAll(hostileBodies(randomFrom(seed)), parses, MAX_STALL_MS, progress);
  const delivered = await deliverAll(hostileBodies(randomFrom(seed + 1)), deliveries, progress);
  const table = [...read.table, ...delivered.table];
  const complaints = [...read.complaints, ...delivered.complaints];
  process.stdout.write(
    `${machine()}, seed ${seed}\n${textTable(table.map(([name, value]) => [name, String(value)]))}\n`,
  );
  if (complaints.length > 0) throw new Error(complaints.slice(0, 20).join('\n'));
}

await runCommand(main);
