import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { awsSettings } from '../../aws/aws-settings.ts';
import { progress } from '../../terminal/progress.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { ExportError } from './export-folder.ts';
import { openSessions, type SessionDatabase } from './session-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * Opens the exports at a source, passes them to `use`, and closes them afterwards.
 *
 * @param source A folder, or `s3://BUCKET/PREFIX`, which is fetched into a temporary folder.
 * @throws ExportError if the source cannot be read, or contains no valid export.
 */
export async function withExport<T>(
  source: string,
  use: (database: SessionDatabase) => Promise<T>,
): Promise<T> {
  const s3 = /^s3:\/\/([^/]+)\/?(.*)$/i.exec(source);
  if (!s3 && /^s3:/i.test(source))
    throw new ExportError(`"${source}" does not name a bucket: expected s3://BUCKET/PREFIX.`);
  const [, bucket = '', prefix = ''] = s3 ?? [];
  const folder = s3 ? temporaryFolder() : source;
  if (s3) {
    await download(bucket, prefix, folder).catch((error: Error) => {
      if (error instanceof ExportError) throw error;
      throw new ExportError(
        `Cannot read s3://${bucket}/${prefix}: ${reasonOf(error)}. Check that AWS_PROFILE and AWS_REGION name its account and region, and that you may read it.`,
        { cause: error },
      );
    });
  }
  progress(`Reading ${folder} …`);
  const database = await openSessions(folder, note).finally(() => progress());
  if (database.exports > 1)
    note(`Read ${database.exports} exports. The views show the table as of ${database.time}.`);
  try {
    return await use(database);
  } finally {
    database.close();
  }
}

/** Fetches every object under a prefix into a folder. */
async function download(bucket: string, prefix: string, folder: string): Promise<void> {
  const s3 = new S3Client(await awsSettings());
  const objects: { key: string; size: number }[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket, Prefix: prefix },
  )) {
    objects.push(...Contents.map(({ Key = '', Size = 0 }) => ({ key: Key, size: Size })));
  }
  if (objects.length === 0) throw new ExportError(`Found no objects in s3://${bucket}/${prefix}.`);
  const total = objects.reduce((sum, { size }) => sum + size, 0);
  note(`Fetching ${objects.length} objects, ${megabytes(total)}, from s3://${bucket}/${prefix} …`);
  let fetched = 0;
  const queue = objects.values();
  const fetchAll = async () => {
    for (const { key, size } of queue) {
      // The S3 console creates folders as empty objects.
      if (!key.endsWith('/')) await fetchObject(s3, { bucket, key }, folder);
      fetched += size;
      progress(`${megabytes(fetched)} of ${megabytes(total)}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, fetchAll));
  progress();
  s3.destroy();
}

/** The number of objects that are fetched concurrently. */
const CONCURRENCY = 8;

async function fetchObject(
  s3: S3Client,
  { bucket, key }: { bucket: string; key: string },
  folder: string,
): Promise<void> {
  // Normalised as an absolute path, because ".." in a key must not lead out of the folder.
  const path = join(folder, normalize(`/${key}`));
  mkdirSync(dirname(path), { recursive: true });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(Body instanceof Readable)) throw new Error(`s3://${bucket}/${key} has no body`);
  await pipeline(Body, createWriteStream(path));
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
