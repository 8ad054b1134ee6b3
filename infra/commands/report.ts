import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withExport } from '../analytics/duckdb/export-source.ts';
import { makePage } from '../analytics/report/page.ts';
import { counted } from '../analytics/report/wording.ts';
import { type CommandLine, runCommand, seeHelp, UsageError } from './command-line/command.ts';

const HELP = `Usage: npm run report -- EXPORT [options]

Creates an HTML page with charts of an export of the table: outcomes, errors, call
quality, talk time, opt-outs and conflicts. The page is a single file without
scripts and needs no network. It contains no phone numbers and no session ids.

EXPORT is a folder that contains exports, or s3://BUCKET/PREFIX, which is fetched
first with the AWS credentials and region of the shell.

Options:
  --out FILE  The file to write. An existing file is replaced. Default: report.html.
  -h, --help  Show this help.
`;

const COMMAND = {
  name: 'report',
  help: HELP,
  takesArguments: true,
  options: {
    out: { type: 'string', default: 'report.html' },
  },
} as const;

async function main({ values, args }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const [source, ...rest] = args;
  if (source === undefined)
    throw new UsageError(seeHelp('report', 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX'));
  if (rest.length > 0)
    throw new UsageError(seeHelp('report', `Unexpected argument "${rest[0]}": expected one EXPORT`));

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
        `The folder ${dirname(file)} does not exist: create it, or name another file with --out.`,
      );
    if (error.code === 'EISDIR')
      throw new Error(`${file} is a folder: name a file with --out, such as ${join(file, 'report.html')}.`);
    throw error;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await runCommand(COMMAND, main);
