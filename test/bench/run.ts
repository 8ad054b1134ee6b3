import { deepEqual } from 'node:assert/strict';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { type ColdStart, startCold } from './cold-start.ts';
import { bundleContenders, type Contender, WAYS } from './contenders.ts';
import { measureCpu } from './cpu-time.ts';
import { FUNCTIONS, type FunctionName } from './events.ts';
import { type FakeAws, startFakeAws } from './fake-aws.ts';
import { median } from './median.ts';

const HELP = `Usage: npm run bench -- [options]

Compares the webhook and the recorder with functions that only call the SDK
(bare; lean: without the modules that Lambda never loads, which ours exclude
too): size and load time of the bundle, and CPU time per session. They take
turns, and each ratio is the median of the ratios of neighbouring measurements.
Exit code 1 if a ratio exceeds its limit.

Options:
  --rounds NUMBER  Number of rounds: in each, ten cold starts of each function,
                   and one process that warms up and measures the CPU time.
                   Default: 5.
  -h, --help       Show this help.
`;

const COMMAND = {
  name: 'bench',
  help: HELP,
  options: {
    rounds: { type: 'string', default: '5' },
  },
} as const;

const COLD_STARTS_PER_ROUND = 10;

type Way = (typeof WAYS)[number];

/** A maximum ratio of ours to another way. */
type Limit = readonly [Way, number];

/**
 * The time to load a bundle is compared with that of a lean one: how long a bare one takes to load what Lambda never
 * uses depends on the machine.
 */
const LIMITS: Readonly<Record<FunctionName, { load: Limit; cpu?: Limit }>> = {
  webhook: { load: ['lean', 1.35], cpu: ['bare', 1.1] },
  recorder: { load: ['lean', 1.45] },
};

/** What was measured of all contenders. */
interface Row {
  label: string;
  /** Neighbouring measurements, in the order of WAYS. */
  samples: readonly (readonly number[])[];
  digits: number;
  limit?: Limit | undefined;
}

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const rounds = wholeNumber('rounds', values.rounds, 1);
  const aws = await startFakeAws();
  try {
    const contenders = { webhook: bundleContenders('webhook'), recorder: bundleContenders('recorder') };
    await assertSameEffect(contenders.webhook, aws);
    const rows = [
      ...(await measureFunction('webhook', contenders.webhook, rounds, aws)),
      ...(await measureFunction('recorder', contenders.recorder, rounds, aws)),
    ];
    const headings = ['', ...WAYS, '÷ bare', '÷ lean', 'limit'];
    process.stdout.write(`${machine()}\n${textTable([headings, ...rows.map(cellsOf)])}\n`);
    const above = rows.filter(({ samples, limit }) => limit && !(ratio(samples, limit[0]) <= limit[1]));
    if (above.length > 0) throw new Error(`Above the limit: ${above.map(({ label }) => label).join('; ')}`);
  } finally {
    await aws.stop();
  }
}

/** All webhooks must send the same message and log one line. Otherwise, their CPU times could not be compared. */
async function assertSameEffect(webhooks: readonly Contender[], aws: FakeAws): Promise<void> {
  const event = FUNCTIONS.webhook.nextEvent();
  const effects = [];
  for (const { bundle } of webhooks) {
    const { logged } = await startCold(bundle, event, aws.environment);
    effects.push({ request: aws.lastRequest(), lines: logged.split('\n').length - 1 });
  }
  for (const effect of effects) deepEqual(effect, { ...effects[0], lines: 1 });
}

async function measureFunction(
  name: FunctionName,
  contenders: readonly Contender[],
  rounds: number,
  aws: FakeAws,
): Promise<Row[]> {
  const progress = (text: string) => void process.stderr.write(`${name}: ${text} …\n`);
  const limits = LIMITS[name];
  progress('measuring the load time');
  const starts: ColdStart[][] = [];
  for (let i = 0; i < rounds * COLD_STARTS_PER_ROUND; i++)
    starts.push(await startAll(name, contenders, i, aws));
  progress('measuring the CPU time');
  const bundles = contenders.map(({ bundle }) => bundle);
  const cpu = await measureCpu(name, bundles, rounds, aws.environment);
  const times = (of: 'load' | 'first') => starts.map((start) => start.map((times) => times[of]));
  return [
    { label: `${name}: bundle, kB`, samples: [contenders.map(({ kilobytes }) => kilobytes)], digits: 0 },
    { label: `${name}: load, ms`, samples: times('load'), digits: 1, limit: limits.load },
    { label: `${name}: load and first event, ms`, samples: times('first'), digits: 1 },
    { label: `${name}: CPU per session, µs`, samples: cpu, digits: 0, limit: limits.cpu },
  ];
}

/** A cold start of each contender, one after the other, beginning with another one each time. */
async function startAll(
  name: FunctionName,
  contenders: readonly Contender[],
  first: number,
  aws: FakeAws,
): Promise<ColdStart[]> {
  const starts = new Map<number, ColdStart>();
  for (const turn of contenders.keys()) {
    const i = (first + turn) % contenders.length;
    const { bundle = '' } = contenders[i] ?? {};
    starts.set(i, await startCold(bundle, FUNCTIONS[name].nextEvent(), aws.environment));
  }
  return [...starts].toSorted(([a], [b]) => a - b).map(([, start]) => start);
}

function cellsOf({ label, samples, digits, limit }: Row): string[] {
  return [
    label,
    ...WAYS.map((_, i) => median(samples.map((sample) => sample[i] ?? Number.NaN)).toFixed(digits)),
    ratio(samples, 'bare').toFixed(2),
    ratio(samples, 'lean').toFixed(2),
    limit ? `${limit[1].toFixed(2)} ÷ ${limit[0]}` : '',
  ];
}

/** The median of the ratios of ours to another implementation, each of neighbouring measurements. */
function ratio(samples: Row['samples'], way: Way): number {
  const other = WAYS.indexOf(way);
  return median(
    samples.map((sample) => (sample[WAYS.indexOf('ours')] ?? Number.NaN) / (sample[other] ?? Number.NaN)),
  );
}

await runMeasurement(COMMAND, main);
