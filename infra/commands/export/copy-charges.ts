import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { CHARGES_FOLDER, chargeFilesIn } from '../../analytics/duckdb/charge-files.ts';
import { fetchFile, listFiles } from '../../analytics/duckdb/remote-files.ts';
import { CHARGES_PREFIX } from '../../exports/bucket-prefixes.ts';

/**
 * Copies the charges in a bucket to a folder of exports, and nowhere else. They replace the charges that are there. Without
 * charges, creates an empty folder for them, so that the commands do not read those of another export beside it.
 *
 * @returns The folder, and the number of files.
 */
export async function copyCharges(
  s3: S3Client,
  bucket: string,
  exports: string,
): Promise<{ folder: string; fileCount: number }> {
  const folder = join(exports, CHARGES_FOLDER);
  mkdirSync(folder, { recursive: true });
  const files = await listFiles(s3, { bucket, prefix: CHARGES_PREFIX }, exports);
  for (const path of chargeFilesIn(folder)) rmSync(path);
  for (const file of files) await fetchFile(s3, bucket, file);
  return { folder, fileCount: files.length };
}
