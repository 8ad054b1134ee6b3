import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { chargeFilesIn, chargesFolder } from '../../analytics/duckdb/charge-files.ts';
import { fetchFile, listFiles } from '../../analytics/duckdb/remote-files.ts';
import { CHARGES_PREFIX } from '../../exports/bucket-prefixes.ts';

/**
 * Copies the charges in a bucket to the folder in which the commands look for those of a folder of exports. They replace
 * the charges that are there.
 *
 * @returns The folder, and the number of files.
 */
export async function copyCharges(
  s3: S3Client,
  bucket: string,
  exports: string,
): Promise<{ folder: string; fileCount: number }> {
  const folder = chargesFolder(exports);
  const files = await listFiles(s3, { bucket, prefix: CHARGES_PREFIX }, dirname(folder));
  for (const path of chargeFilesIn(folder)) rmSync(path);
  for (const file of files) await fetchFile(s3, bucket, file);
  return { folder, fileCount: files.length };
}
