import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { COLUMNS } from '../../functions/log-export/columns.ts';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { wholeNumber } from '../../infra/commands/command-line/number-option.ts';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';

const HELP = `Usage: npm run bench:reconciliation -- [options]

Generates log exports of several sizes, all of one day, and measures the duration and
the peak memory of their reconciliation: download, both readings, lookups and stored
rows; with every hundredth session missing, and with every session missing and
--beyond-limit. The table, the bucket and the queue answer at once. Takes about four
minutes.

Options:
  --rows LIST   Numbers of rows, five per two sessions. Default: 100000,1000000.
  -h, --help    Show this help.
`;

const COMMAND = {
  name: 'bench:reconciliation',
  help: HELP,
  options: { rows: { type: 'string', default: '100000,1000000' } },
} as const;

const PROCESS = fileURLToPath(new URL('reconciliation-process.ts', import.meta.url));
const DAY = '2026-11-24';
/** Every nth session is missing. */
const MISSING = [100, 1];

const Measured = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    seconds: v.number(),
    cpuSeconds: v.number(),
    megabytes: v.number(),
    state: v.literal('done'),
    recorded: v.number(),
  }),
);

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const sizes = values.rows.split(',').map((rows) => wholeNumber('rows', rows, 2));
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const server = createServer(({ url = '' }, response) => {
    const file = join(folder, url);
    response.setHeader('Content-Length', statSync(file).size);
    createReadStream(file).pipe(response);
  });
  try {
    const origin = await listenOnLoopback(server, 0);
    const lines = [];
    for (const size of sizes) {
      process.stderr.write(`${size.toLocaleString('en')} rows …\n`);
      const file = join(folder, String(size));
      await pipeline(Readable.from(fileOf(size)), createWriteStream(file));
      for (const every of MISSING)
        lines.push(await line(size, `${origin}/${size}`, every, statSync(file).size));
    }
    const heading = ['rows', 'file', 'recorded', 'duration', 'CPU time', 'peak memory'];
    process.stdout.write(`${machine()}\n${textTable([heading, ...lines])}\n`);
  } finally {
    await close(server);
    rmSync(folder, { recursive: true });
  }
}

/** Measures in a process of its own, because the peak memory is that of a process. */
async function line(size: number, link: string, every: number, bytes: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, link, String(every)]);
  const { seconds, cpuSeconds, megabytes, recorded } = v.parse(Measured, stdout);
  return [
    size.toLocaleString('en'),
    `${Math.round(bytes / 1e6)} MB`,
    recorded.toLocaleString('en'),
    `${seconds.toFixed(1)} s`,
    `${cpuSeconds.toFixed(1)} s`,
    `${Math.round(megabytes)} MB`,
  ];
}

/** A file of sessions of two and three legs in turn. */
function* fileOf(size: number): Generator<string> {
  let text = `${COLUMNS.join()},Content\n`;
  for (let row = 0; row < size; row++) {
    const legsOfPair = row % 5;
    text += rowOf(2 * Math.floor(row / 5) + (legsOfPair < 2 ? 0 : 1), row);
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}

function rowOf(session: number, row: number): string {
  const id = (n: number) => `${String(n).padStart(8, '0')}-f059-11f0-baa6-c147150ab00e`;
  const at = (second: number) =>
    new Date(Date.parse(DAY) + ((session % 86_000) + second) * 1_000).toISOString();
  const number = String(row).padStart(8, '0');
  return `${id(session)},${id(row)},8x8,acme,OUTBOUND,65,Singapore,ExampleTel,525,01,+6591${number},65,Singapore,ExampleTel,525,01,+6568${number},${at(0)},${at(5)},${at(42)},37,IVR,60,60+60,60,0.0120,USD,0.0120,PSTN,200,COMPLETED,COMPLETED,,4.5,\n`;
}

await runMeasurement(COMMAND, main);
