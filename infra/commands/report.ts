import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withExport } from '../analytics/duckdb/export-source.ts';
import { makePage } from '../analytics/report/page.ts';
import { counted } from '../analytics/report/wording.ts';
import { type CommandLine, runCommand, seeHelp, UsageError } from './command-line/command.ts';

const HELP = `Usage: npm run report -- EXPORT [options]

Makes a page of charts of an export of the table: outcomes, errors, call quality,
talk time, opt-outs, conflicts. It is one file that needs no network and no
script; it has no phone numbers and no session ids.

EXPORT is a folder with what DynamoDB exported, or s3://BUCKET/PREFIX, which is
fetched first (AWS credentials and region of the shell).

Options:
  --out FILE  Where the page goes. Default: report.html. What is there is replaced.
  -h, --help  Show this.
`;

const COMMAND = {
  name: 'report',
  help: HELP,
  takesArguments: true,
  options: {
    out: { type: 'string', default: 'report.html' },
  },
} as const;

/** `npm run report`: for those who would rather look than query. */
async function main({ values, args }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const [source, ...rest] = args;
  if (source === undefined)
    throw new UsageError(seeHelp('report', 'Which export? Name its folder, or s3://BUCKET/PREFIX'));
  if (rest.length > 0)
    throw new UsageError(seeHelp('report', `Expected one export, but "${rest[0]}" came after it`));

  const page = await withExport(source, ({ connection, time }) => makePage(connection, time));
  await write(values.out, page.html);
  const about = [counted(page.sessions, 'session'), page.range].filter((part) => part !== undefined);
  say(`${values.out}: ${about.join(', ')}`);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT')
      throw new Error(
        `There is no folder ${dirname(file)} for ${file}; make it first, or name another with --out.`,
      );
    if (error.code === 'EISDIR')
      throw new Error(`${file} is a folder; name a file with --out, such as ${join(file, 'report.html')}.`);
    throw error;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await runCommand(COMMAND, main);
