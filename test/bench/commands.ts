import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { COMMANDS } from '../../infra/commands/commands.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { root } from '../infra/run.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { median } from './median.ts';

const HELP = `Usage: npm run bench:commands -- [options]

Compares the CPU time of \`vss-webhook COMMAND --help\`, with a warm compile cache,
with that of \`node -e 0\`, in turns of ten runs. Exit code 1 if a command needs more than three
times as much. With --tests, also compares \`npm test\` with one \`cdk synth\`, which
takes some minutes.

Options:
  --rounds NUMBER  How many turns each command has. Default 5.
  --tests          Also measure npm test. Exit code 1 if it needs more than 16 times
                   the CPU time of cdk synth.
  -h, --help       Show this help.
`;

const COMMAND = {
  name: 'bench:commands',
  help: HELP,
  options: { rounds: { type: 'string', default: '5' }, tests: { type: 'boolean', default: false } },
} as const;

const LIMITS = { help: 3, tests: 16 };

/** `times` counts in hundredths of a second, of which a start takes two. */
const RUNS_PER_TURN = 10;

/** Commands load the support of proxies only if the environment configures one. */
const withoutProxy = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(https?_proxy|aws_ca_bundle)$/i.test(name)),
);

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const rounds = wholeNumber('rounds', values.rounds, 1);
  const commands = Object.keys(COMMANDS).map((name) => ['infra/vss-webhook.js', name, '--help']);
  const times = await inTurns([['-e', '0'], ...commands], rounds);
  const [bare = 0, ...others] = times.map(median);
  const rows = commands.map(([, name = ''], i) =>
    compare(`${name} --help`, others[i] ?? 0, bare, LIMITS.help),
  );
  if (values.tests) {
    const synth = await cpuSeconds(['node_modules/aws-cdk/bin/cdk', 'synth', '-q', '-c', 'stage=local']);
    rows.push(compare('npm test ÷ cdk synth', await cpuSecondsOf('npm test'), synth, LIMITS.tests));
  }
  const heading = ['', 'CPU, s', 'baseline, s', 'ratio', 'limit'];
  process.stdout.write(`${machine()}\n${textTable([heading, ...rows.map(({ cells }) => cells)])}\n`);
  if (rows.some(({ isExceeded }) => isExceeded)) throw new Error('A ratio exceeds its limit.');
}

/** The CPU seconds of each command line of Node in each round, after a first round that fills the caches. */
async function inTurns(commands: readonly (readonly string[])[], rounds: number): Promise<number[][]> {
  const times: number[][] = commands.map(() => []);
  for (let round = 0; round <= rounds; round++)
    for (const [i, args] of commands.entries()) {
      const seconds = await cpuSeconds(args, RUNS_PER_TURN);
      if (round > 0) times[i]?.push(seconds / RUNS_PER_TURN);
    }
  return times;
}

function cpuSeconds(args: readonly string[], runs = 1): Promise<number> {
  const command = [process.execPath, ...args].map((word) => `'${word}'`).join(' ');
  return cpuSecondsOf(Array<string>(runs).fill(command).join(' && '));
}

/** The CPU seconds of a command of the shell and its children. @throws Error if it fails. */
async function cpuSecondsOf(command: string): Promise<number> {
  // The second line that `times` prints is about the children of the shell: 1m2.345s 0m0.678s
  const script = `{ ${command}; } >/dev/null && times`;
  const options = { cwd: root, env: withoutProxy, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)('sh', ['-c', script], options);
  const [, children = ''] = stdout.trim().split('\n').slice(-2);
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}

function compare(name: string, seconds: number, baseline: number, limit: number) {
  const ratio = seconds / baseline;
  const cells = [name, seconds.toFixed(3), baseline.toFixed(3), ratio.toFixed(2), String(limit)];
  return { cells, isExceeded: ratio > limit };
}

await runMeasurement(COMMAND, main);
