import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { bundleContenders, type Contender, type FunctionName } from './contenders.ts';
import { measureCpu } from './cpu-time.ts';
import { batchEvent, newBody, proxyEvent } from './events.ts';
import { measureLoad } from './load-time.ts';
import { measureParsing } from './parsing-time.ts';
import { cellsOf, HEADINGS, isAboveLimit, type Row } from './row.ts';
import { type Services, startServices } from './services.ts';
import { measureWriteUnits } from './write-units.ts';

const HELP = `Usage: npm run bench -- [options]

Compares the webhook and the recorder with functions that only call the SDK
(bare; lean: without the modules that Lambda never loads, which ours exclude
too): load time of the bundle, CPU time per session, requests to DynamoDB, and
time to parse a summary. All take turns in the same run, so compare the ratios,
not the milliseconds. Exit code 1 if a ratio exceeds its limit.

Options:
  --rounds NUMBER  Number of measurements, besides warm-up. Default: 41, which
                   takes eight minutes; 1 takes three.
  -h, --help       Show this help.
`;

/** Sessions in a batch of the recorder. */
const BATCH = 10;
/** Sessions in a round of measuring the CPU time. */
const SESSIONS_PER_ROUND = 300;

const COMMAND = {
  name: 'bench',
  help: HELP,
  options: {
    rounds: { type: 'string', default: '41' },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const rounds = wholeNumber('rounds', values.rounds, 1);

  const contenders = { webhook: bundleContenders('webhook'), recorder: bundleContenders('recorder') };
  const services = await startServices();
  try {
    const rows = [
      ...(await measureFunction('webhook', contenders.webhook, rounds, services)),
      ...(await measureFunction('recorder', contenders.recorder, rounds, services)),
      ...(await measureRequests(contenders.recorder, services)),
      { label: 'parsing a summary (bare: JSON.parse), µs', values: measureParsing(), digits: 1 },
    ];
    process.stdout.write(`${machine()}\n${textTable([HEADINGS, ...rows.map(cellsOf)])}\n`);
    const above = rows.filter(isAboveLimit);
    if (above.length > 0) throw new Error(`Above the limit: ${above.map(({ label }) => label).join('; ')}`);
  } finally {
    await services.stop();
  }
}

async function measureFunction(
  name: FunctionName,
  contenders: readonly Contender[],
  rounds: number,
  { environment }: Services,
): Promise<Row[]> {
  const progress = (text: string) => void process.stderr.write(`${name}: ${text} …\n`);
  const bundles = contenders.map(({ bundle }) => bundle);
  const { nextEvent, sessions, loadLimit } = {
    webhook: { nextEvent: proxyEvent, sessions: 1, loadLimit: 0.75 },
    recorder: { nextEvent: nextBatch, sessions: BATCH, loadLimit: 0.85 },
  }[name];

  progress('measuring the load time');
  const loads = await measureLoad(bundles, rounds, environment, nextEvent);
  progress('measuring the CPU time');
  const cpu = await measureCpu(bundles, rounds, SESSIONS_PER_ROUND / sessions, environment, nextEvent);
  return [
    { label: `${name}: bundle, kB`, values: contenders.map(({ kilobytes }) => kilobytes), digits: 0 },
    { label: `${name}: load, ms`, values: loads.map(({ load }) => load), digits: 1, limit: loadLimit },
    { label: `${name}: load and first event, ms`, values: loads.map(({ first }) => first), digits: 1 },
    {
      label: `${name}: CPU per session, µs`,
      values: cpu.map((milliseconds) => (milliseconds * 1_000) / sessions),
      digits: 0,
      ...(name === 'webhook' && { limit: 1.15 }),
    },
  ];
}

function nextBatch(): object {
  return batchEvent(Array.from({ length: BATCH }, () => newBody()));
}

async function measureRequests(contenders: readonly Contender[], services: Services): Promise<Row[]> {
  const measured = await measureWriteUnits(
    contenders.map(({ bundle }) => bundle),
    services,
  );
  return (['new', 'duplicate', 'conflict'] as const).flatMap((delivery) => {
    const metered = measured.map((of) => of[delivery]);
    return [
      { label: `${delivery}: requests`, values: metered.map(({ requests }) => requests), digits: 0 },
      { label: `${delivery}: write units`, values: metered.map(({ writeUnits }) => writeUnits), digits: 0 },
    ];
  });
}

await runMeasurement(COMMAND, main);
