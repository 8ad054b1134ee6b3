import { EventEmitter } from 'node:events';
import { type CommandLine, runCommand } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { readRecords } from '../../infra/local/examples.ts';
import { startLocalStack } from '../../infra/local/local-stack.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { type Ceiling, ceilingOf } from './ceiling.ts';
import { type Sustained, sustain } from './sustain.ts';

const HELP = `Usage: npm run bench:load -- [options]

Delivers sessions to the local stack, as many as it records, and prints for each
tenth of them how many that were a second, how long an acknowledgement took and
how long until a session was recorded; before and after, what the emulators of
SQS and DynamoDB do at most on this machine. Then looks for each acknowledged
session in the table. Exit code 1 if one is missing or there is one more, or if
the last tenth is worse than the first by more than the emulators are. About
five minutes.

Options:
  --sessions NUMBER  Default 100000.
  --at-once NUMBER   Sessions that are delivered and not yet recorded. Default 32.
  -h, --help         Show this.
`;

const TENTHS = 10;
/** What the last tenth may be worse than the first: a machine has more to do at one time than at another. */
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
    progress('Looking for each session in the table');
    const records = await readRecords(stack);
    const recorded = new Set(records.map(({ sessionId }) => sessionId));
    const kept = {
      acknowledged: acknowledged.size,
      missing: acknowledged.difference(recorded).size,
      'not delivered': recorded.difference(acknowledged).size,
    };
    const rows = [
      HEADINGS,
      ...tenths.map((tenth, i) => cellsOf(tenth, acknowledged.size - count * (TENTHS - i), before)),
    ];
    process.stdout.write(
      [
        machine(),
        textTable(rows),
        `The emulators alone: ${said(before)} before, ${said(after)} after.`,
        `In the table: ${Object.entries(kept)
          .map(([what, number]) => `${what} ${number}`)
          .join(', ')}.\n`,
      ].join('\n'),
    );
    if (kept.missing + kept['not delivered'] > 0) throw new Error('The table is not what was acknowledged');
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

function said({ sends, puts, both }: Ceiling): string {
  return `${sends.toFixed(0)} SendMessage/s, ${puts.toFixed(0)} PutItem/s, both ${both.toFixed(0)}/s`;
}

function isWorse(first: Sustained, last: Sustained, emulators: number): boolean {
  const most = TOLERANCE * Math.max(1, emulators);
  return first.perSecond / last.perSecond > most || last.lag.p50 / first.lag.p50 > most;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runCommand(COMMAND, main);
