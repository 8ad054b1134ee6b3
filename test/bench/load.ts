import { EventEmitter } from 'node:events';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { readRecords } from '../../infra/local/examples.ts';
import { startLocalStack } from '../../infra/local/local-stack.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { type Ceiling, ceilingOf } from './ceiling.ts';
import { type Sustained, sustain } from './sustain.ts';

const HELP = `Usage: npm run bench:load -- [options]

Delivers sessions to the local stack as fast as it records them. Prints the
throughput, the latency of the acknowledgement and the recording lag for each
tenth of the sessions, and the maximum throughput of the emulators of SQS and
DynamoDB before and after. Then checks that the table contains exactly the
acknowledged sessions. Exit code 1 if it does not, or if the last tenth is worse
than the first by more than the emulators are. Takes about five minutes.

Options:
  --sessions NUMBER  Number of sessions. Default: 100000.
  --at-once NUMBER   Maximum of sessions not recorded yet. Default: 32.
  -h, --help         Show this help.
`;

const TENTHS = 10;
/** The factor by which the last tenth may be worse than the first, because the load of the machine varies. */
const TOLERANCE = 1.25;

const COMMAND = {
  name: 'bench:load',
  help: HELP,
  options: {
    sessions: { type: 'string', default: '100000' },
    'at-once': { type: 'string', default: '32' },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const sessions = wholeNumber('sessions', values.sessions, TENTHS);
  const atOnce = wholeNumber('at-once', values['at-once'], 1);
  const logs = new EventEmitter<{ line: [string] }>();
  const stack = await startLocalStack({
    port: 0,
    log: (line) => logs.emit('line', line),
    // They are off by default, and the events would share the CPU.
    settings: { sessionEvents: false },
  });
  try {
    const measureCeiling = await ceilingOf(stack);
    const acknowledged = new Set<string>();
    const count = Math.ceil(sessions / TENTHS);
    progress('Warming up');
    await sustain(stack, logs, { count: Math.ceil(count / 5), atOnce, acknowledged });
    const before = await measureCeiling();
    const tenths: Sustained[] = [];
    for (let tenth = 1; tenth <= TENTHS; tenth++) {
      progress(`${tenth} of ${TENTHS}`);
      tenths.push(await sustain(stack, logs, { count, atOnce, acknowledged }));
    }
    const after = await measureCeiling();
    progress('Comparing the table with the acknowledged sessions');
    const records = await readRecords(stack);
    const recorded = new Set(records.map(({ sessionId }) => sessionId));
    const kept = {
      acknowledged: acknowledged.size,
      'missing in the table': acknowledged.difference(recorded).size,
      'recorded but not acknowledged': recorded.difference(acknowledged).size,
    };
    const rows = [
      HEADINGS,
      ...tenths.map((tenth, i) => cellsOf(tenth, acknowledged.size - count * (TENTHS - i), before)),
    ];
    process.stdout.write(
      [
        machine(),
        textTable(rows),
        `The emulators alone: ${describeCeiling(before)} before, ${describeCeiling(after)} after.`,
        `Sessions: ${Object.entries(kept)
          .map(([label, number]) => `${number} ${label}`)
          .join(', ')}.\n`,
      ].join('\n'),
    );
    if (kept['missing in the table'] + kept['recorded but not acknowledged'] > 0)
      throw new Error('The table does not contain exactly the acknowledged sessions');
    const [first, last] = [tenths[0], tenths.at(-1)];
    if (first && last && isWorse(first, last, before.both / after.both))
      throw new Error('The last tenth is worse than the first by more than the emulators are');
  } finally {
    await stack.stop();
  }
}

const HEADINGS = [
  'records before',
  'sessions/s',
  'of the ceiling',
  'acknowledged p50',
  'p99, ms',
  'recorded after p50',
  'p99, ms',
];

function cellsOf({ perSecond, acknowledged, lag }: Sustained, before: number, ceiling: Ceiling): string[] {
  return [
    String(before),
    perSecond.toFixed(0),
    `${((100 * perSecond) / ceiling.both).toFixed(0)} %`,
    ...[acknowledged.p50, acknowledged.p99, lag.p50, lag.p99].map((value) => value.toFixed(0)),
  ];
}

function describeCeiling({ sends, puts, both }: Ceiling): string {
  return `${sends.toFixed(0)} SendMessage/s, ${puts.toFixed(0)} PutItem/s, both ${both.toFixed(0)}/s`;
}

function isWorse(first: Sustained, last: Sustained, emulatorSlowdown: number): boolean {
  const limit = TOLERANCE * Math.max(1, emulatorSlowdown);
  return first.perSecond / last.perSecond > limit || last.lag.p50 / first.lag.p50 > limit;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runMeasurement(COMMAND, main);
