import type { Context } from '../../commands/command-line/command.ts';
import { print, progress } from '../../terminal/output.ts';
import { type DatabaseOptions, openSessions, type SessionDatabase } from './session-database.ts';
import { sourceFolder } from './source-folder.ts';

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
  const folder = await sourceFolder(source, options, context);
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
