import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../infra/analytics/duckdb/temporary-folder.ts';
import { writeExport } from '../../infra/analytics/duckdb/write-export.ts';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { writeCharges } from '../infra/analytics/charged.ts';
import { addIncrementOf } from '../infra/analytics/exported.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { chargesOf } from './charges.ts';
import { generateItems } from './sessions.ts';

const HELP = `Usage: npm run bench:analytics -- [options]

Generates exports of several sizes, and measures the duration and the peak
memory of query and report for each. Takes about twelve minutes
and 2 GB of temporary disk space.

Options:
  --sizes LIST  Numbers of sessions. Default: 10000,100000,1000000.
  -h, --help    Show this help.
`;

const QUERIES = ['outcomes-by-day', 'worst-routes', 'durations', 'cost-by-country-and-day'];
const UNTIL = Date.parse('2026-11-21T02:00:00Z');
const DAY = 86_400_000;

/** The number of incremental exports after the largest full one. */
const INCREMENTS = 30;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Prints the peak memory of a process in kilobytes when it exits. */
const WITH_PEAK = `data:text/javascript,process.on('exit',()=>process._rawDebug('peak '+process.resourceUsage().maxRSS))`;

const COMMAND = {
  name: 'bench:analytics',
  help: HELP,
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const sizes = values.sizes.split(',').map((size) => wholeNumber('sizes', size, 1));
  const folder = temporaryFolder();
  const columns: Measured[] = [];
  for (const size of sizes) columns.push(await measure(size, join(folder, String(size)), {}));
  const largest = Math.max(...sizes);
  columns.push(await measure(largest, join(folder, 'changes'), { increments: INCREMENTS }));
  columns.push(await measure(largest, join(folder, 'with-charges'), { withCharges: true }));
  const labels = columns[0]?.map(([label]) => label) ?? [];
  process.stdout.write(
    `${machine()}\n${textTable(labels.map((label, i) => [label, ...columns.map((column) => column[i]?.[1] ?? '')]))}\n`,
  );
}

type Measured = (readonly [label: string, value: string])[];

interface Contents {
  /** Incremental exports that double the size. */
  increments?: number;
  withCharges?: boolean;
}

/** Measures an export of this size. Returns a column of the table. */
async function measure(
  size: number,
  folder: string,
  { increments = 0, withCharges = false }: Contents,
): Promise<Measured> {
  const label = `${size.toLocaleString('en')}${increments > 0 ? ` + ${increments} incremental` : ''}${withCharges ? ' + charges' : ''}`;
  process.stderr.write(`${label} sessions …\n`);
  await writeExport(folder, {
    tableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/sessions',
    items: generateItems(size, UNTIL),
    fileCount: 8,
    time: UNTIL,
  });
  for (let day = 1; day <= increments; day++) {
    const [from, to] = [day - 1, day].map((after) => new Date(UNTIL + after * DAY).toISOString());
    const items = generateItems(Math.round(size / increments), UNTIL + day * DAY, day + 1);
    const written = (UNTIL + day * DAY) * 1_000;
    const lines = [...items].map(
      (item) =>
        `{"Metadata":{"WriteTimestampMicros":{"N":"${written}"}},"Keys":{"sessionId":${/"sessionId":(\{[^}]*\})/.exec(item)?.[1]}},"NewImage":${item}}`,
    );
    addIncrementOf(lines, { folder, from: `${from}`, to: `${to}` });
  }
  if (withCharges) for (const file of chargesOf(generateItems(size, UNTIL))) writeCharges(folder, file);
  const commands = [
    ...QUERIES.map((name) => [`query ${name}`, ['infra/vss-webhook.js', 'query', folder, name]] as const),
    [
      'query --database',
      ['infra/vss-webhook.js', 'query', folder, '--database', join(folder, 'sessions.duckdb')],
    ] as const,
    ['report', ['infra/vss-webhook.js', 'report', folder, '--out', join(folder, 'report.html')]] as const,
  ];
  const lines: Measured = [
    ['sessions', label],
    ['export, compressed', `${(bytesIn(folder) / 1e6).toFixed(1)} MB`],
  ];
  for (const [name, args] of commands) {
    const began = performance.now();
    const { stderr } = await promisify(execFile)(process.execPath, ['--import', WITH_PEAK, ...args], {
      cwd: root,
    });
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const peak = Math.round(Number(/peak (\d+)/.exec(stderr)?.[1]) / 1_024);
    lines.push([name, `${seconds} s, ${peak} MB`]);
  }
  return lines;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

await runMeasurement(COMMAND, main);
