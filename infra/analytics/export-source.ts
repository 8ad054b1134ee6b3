import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { ExportError } from './export-folder.ts';
import { openSessions, type SessionDatabase } from './session-database.ts';

/**
 * Opens an export for as long as `use` takes.
 *
 * @param source A folder, or `s3://BUCKET/PREFIX`, which is fetched into a folder that is removed afterwards.
 * @throws ExportError when it has no export, or a broken one.
 */
export async function withExport<T>(
  source: string,
  use: (database: SessionDatabase) => Promise<T>,
): Promise<T> {
  const s3 = /^s3:\/\/([^/]+)\/?(.*)$/.exec(source);
  const [, bucket = '', prefix = ''] = s3 ?? [];
  const folder = s3 ? mkdtempSync(join(tmpdir(), 'vss-webhook-export-')) : source;
  try {
    if (s3) await download(bucket, prefix, folder);
    const database = await openSessions(folder, note);
    try {
      return await use(database);
    } finally {
      database.close();
    }
  } finally {
    if (s3) rmSync(folder, { recursive: true });
  }
}

/** Fetches every object under a prefix into a folder. */
async function download(bucket: string, prefix: string, folder: string): Promise<void> {
  const s3 = new S3Client({});
  const objects: { key: string; size: number }[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket, Prefix: prefix },
  )) {
    objects.push(...Contents.map(({ Key = '', Size = 0 }) => ({ key: Key, size: Size })));
  }
  if (objects.length === 0) throw new ExportError(`There is nothing in s3://${bucket}/${prefix}.`);
  const total = objects.reduce((sum, { size }) => sum + size, 0);
  note(`Fetching ${objects.length} objects, ${megabytes(total)}, from s3://${bucket}/${prefix} …`);
  let fetched = 0;
  for (const { key, size } of objects) {
    // A key may hold "..", and a folder may be an object of its own.
    const path = join(folder, normalize(`/${key}`));
    if (key.endsWith('/')) continue;
    mkdirSync(dirname(path), { recursive: true });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (!(Body instanceof Readable)) throw new Error(`s3://${bucket}/${key} has no body`);
    await pipeline(Body, createWriteStream(path));
    fetched += size;
    if (process.stderr.isTTY) process.stderr.write(`\r${megabytes(fetched)} of ${megabytes(total)} `);
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
