import { resolve } from 'node:path';
import type { Context } from '../../commands/command-line/command.ts';
import { print, progress } from '../../terminal/output.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { ExportError } from './export.ts';
import { fetchExports } from './fetch-exports.ts';
import { type DatabaseOptions, openSessions, type SessionDatabase } from './session-database.ts';

export interface SourceOptions extends DatabaseOptions {
  /** Whether objects from S3 are kept for the next command. */
  isCached: boolean;
}

/**
 * Opens the exports at a source, passes them to `use`, and closes them afterwards.
 *
 * @param source A folder, relative to the current one, or `s3://BUCKET/PREFIX`, which is fetched first.
 * @throws ExportError if the source cannot be read, or contains no valid export.
 */
export async function withExport<T>(
  source: string,
  options: SourceOptions,
  context: Context,
  use: (database: SessionDatabase) => Promise<T>,
): Promise<T> {
  const folder = /^s3:/i.test(source)
    ? await fetchFrom(source, options, context)
    : resolve(context.cwd, source);
  const note = (text: string) => print(context.stderr, text);
  progress(context.stderr, `Reading ${folder} …`);
  const database = await openSessions(folder, note, options).finally(() => progress(context.stderr));
  if (database.exports > 1)
    note(`Read ${database.exports} exports. The views show the table as of ${database.time}.`);
  try {
    return await use(database);
  } finally {
    database.close();
  }
}

async function fetchFrom(source: string, options: SourceOptions, context: Context): Promise<string> {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/i.exec(source) ?? [];
  if (bucket === undefined)
    throw new ExportError(`"${source}" does not name a bucket: expected s3://BUCKET/PREFIX.`);
  try {
    return await fetchExports({ bucket, prefix, ...options }, context);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError(
      `Cannot read s3://${bucket}/${prefix}: ${reasonOf(error)}. Check that AWS_PROFILE and AWS_REGION name its account and region, and that you may read it.`,
      { cause: error },
    );
  }
}
