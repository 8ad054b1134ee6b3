import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { COLUMNS } from '../../functions/log-export/columns.ts';
import { compareExport } from '../../functions/reconciliation/compare-export.ts';
import { LIMIT } from '../../functions/reconciliation/window.ts';

/** Reads one generated export, as `compare` or `bare`, and prints the duration and the peak memory as JSON. */

const [, , what, rows = ''] = process.argv;
const DAY = '2026-11-24';

const startedAt = performance.now();
if (what === 'bare') for await (const _ of Readable.from(file()).pipe(parse({})));
else await compare();
process.stdout.write(
  JSON.stringify({
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: process.resourceUsage().userCPUTime / 1e6,
    megabytes: process.resourceUsage().maxRSS / 1_000,
  }),
);

async function compare(): Promise<void> {
  await compareExport(
    {
      subAccountId: 'acme',
      day: DAY,
      exportedAt: '2026-11-25T06:00:00.000Z',
      links: [{ link: 'https://voice.wavecell.com/', expires: undefined }],
    },
    {
      objects: { readJson: async () => {}, writeJson: async () => {}, writeFile: async () => {} },
      retentionDays: undefined,
      now: Date.now,
      lookUp: async (ids) =>
        new Map(
          ids
            .filter((id) => !id.startsWith('00'))
            .map((id) => [id, { status: 'COMPLETED', reconstructedLegs: undefined }]),
        ),
      download: file,
    },
    new Set(),
    LIMIT,
  );
}

/** The file, in chunks of 64 KB. Its ids begin with two digits, so that every hundredth begins with `00`. */
async function* file(): AsyncGenerator<Uint8Array> {
  let text = `${COLUMNS.join(',')},Content\n`;
  for (let session = 0; session < Number(rows) / 2; session++) {
    text += rowOf(session, 'a', 'INBOUND') + rowOf(session, 'b', 'OUTBOUND');
    if (text.length < 65_536) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

function rowOf(session: number, call: string, direction: string): string {
  const number = String(session).padStart(10, '0');
  const sessionId = `${number.slice(-2)}${number.slice(0, 8)}-f059-11f0-baa6-c147150ab00e`;
  const at = (second: number) =>
    new Date(Date.parse(DAY) + ((session % 86_000) + second) * 1_000).toISOString();
  return `${sessionId},${call}${number}-f059-11f0-baa6-c93abb37794a,8x8,acme,${direction},65,Singapore,ExampleTel,525,01,+6591${number.slice(2)},65,Singapore,ExampleTel,525,01,+6568${number.slice(2)},${at(0)},${at(5)},${at(42)},37,IVR,60,60+60,60,0.0120,USD,0.0120,PSTN,200,COMPLETED,COMPLETED,,4.5,\n`;
}
