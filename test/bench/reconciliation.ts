import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';

const HELP = `Usage: npm run bench:reconciliation -- [options]

Generates log exports of several sizes, and measures for each the duration and the
peak memory of their comparison with a table in which every hundredth session is
missing: reading, lookups and compressed rows. In turns with bare, which only runs
csv-parse over the same bytes. Takes about three minutes.

Options:
  --rows LIST   Numbers of rows, two per session. Default: 10000,100000,1000000.
  -h, --help    Show this help.
`;

const COMMAND = {
  name: 'bench:reconciliation',
  help: HELP,
  options: { rows: { type: 'string', default: '10000,100000,1000000' } },
} as const;

const PROCESS = fileURLToPath(new URL('reconciliation-process.ts', import.meta.url));

const Measured = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ seconds: v.number(), cpuSeconds: v.number(), megabytes: v.number() }),
);

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const sizes = values.rows.split(',').map((rows) => wholeNumber('rows', rows, 2));
  const rows = [];
  for (const size of sizes) {
    process.stderr.write(`${size.toLocaleString('en')} rows …\n`);
    const bare = await measure('bare', size);
    const compared = await measure('compare', size);
    rows.push([
      size.toLocaleString('en'),
      `${compared.seconds.toFixed(1)} s`,
      `${compared.cpuSeconds.toFixed(1)} s`,
      `${(compared.cpuSeconds / bare.cpuSeconds).toFixed(2)}`,
      `${Math.round(compared.megabytes)} MB`,
      `${Math.round(bare.megabytes)} MB`,
    ]);
  }
  const heading = ['rows', 'duration', 'CPU time', 'CPU ÷ bare', 'peak memory', 'peak memory, bare'];
  process.stdout.write(`${machine()}\n${textTable([heading, ...rows])}\n`);
}

/** Runs in a process of its own, because the peak memory is that of a process. */
async function measure(what: 'bare' | 'compare', rows: number): Promise<v.InferOutput<typeof Measured>> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, what, String(rows)]);
  return v.parse(Measured, stdout);
}

await runMeasurement(COMMAND, main);
