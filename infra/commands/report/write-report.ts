import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { withExport } from '../../analytics/duckdb/export-source.ts';
import type { Scope } from '../../analytics/report/facts.ts';
import { makePage } from '../../analytics/report/page.ts';
import { counted } from '../../analytics/report/wording.ts';
import { print } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import { assertAnswerable } from './assert-answerable.ts';

export interface ReportOptions {
  scope: Scope;
  timeZone: string;
  /** Whether objects from S3 are kept for the next command. */
  isCached: boolean;
  /** The file to write. */
  out: string;
}

/** Writes the report of an export to a file. Returns the exit code. */
export async function writeReport(
  source: string,
  { scope, timeZone, isCached, out }: ReportOptions,
  context: Context,
): Promise<number> {
  const options = { timeZone, isCached, needsHistory: false, needsCharges: true };
  const page = await withExport(
    source,
    options,
    context,
    async ({ connection, time, tableArn, incomplete }) => {
      await assertAnswerable(connection, { scope, time, timeZone });
      return makePage(connection, { time, timeZone, scope, stage: stageOf(tableArn), incomplete });
    },
  );
  await write(resolve(context.cwd, out), page.html);
  const about = [counted(page.sessions, 'session'), page.range, page.asOf].filter(
    (part) => part !== undefined,
  );
  print(context.stdout, `${out}: ${about.join(', ')}`);
  return 0;
}

/** The stage of a table, whose name CloudFormation starts with the name of the stack. */
function stageOf(tableArn: string | undefined): string | undefined {
  return /:table\/vss-webhook-(.+)-Sessions/.exec(tableArn ?? '')?.[1];
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
