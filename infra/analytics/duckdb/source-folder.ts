import { resolve } from 'node:path';
import type { Context } from '../../commands/command-line/command.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { ExportError } from './export.ts';
import { type FetchRequest, fetchExports } from './fetch-exports.ts';

/**
 * The folder of a source of exports.
 *
 * @param source A folder, relative to the current one, or `s3://BUCKET/PREFIX`, which is fetched first.
 * @throws ExportError if the source cannot be read.
 */
export async function sourceFolder(
  source: string,
  request: Omit<FetchRequest, 'bucket' | 'prefix'>,
  context: Context,
): Promise<string> {
  if (!/^s3:/i.test(source)) return resolve(context.cwd, source);
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/i.exec(source) ?? [];
  if (bucket === undefined)
    throw new ExportError(`"${source}" does not name a bucket: expected s3://BUCKET/PREFIX.`);
  try {
    return await fetchExports({ bucket, prefix, ...request }, context);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError(
      `Cannot read s3://${bucket}/${prefix}: ${reasonOf(error)}. Check that AWS_PROFILE and AWS_REGION name its account and region, and that you may read it.`,
      { cause: error },
    );
  }
}
