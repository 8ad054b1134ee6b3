import { createWriteStream, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/** An object in S3, and the file that it is fetched to. */
export interface RemoteFile {
  key: string;
  size: number;
  modified: Date;
  path: string;
}

/** Lists the objects under a prefix. The path of each is that of its key in the folder. */
export async function listFiles(
  s3: S3Client,
  { bucket, prefix }: { bucket: string; prefix: string },
  folder: string,
): Promise<RemoteFile[]> {
  const files: RemoteFile[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket, Prefix: prefix },
  )) {
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of Contents) {
      // Normalised as an absolute path, because ".." in a key must not lead out of the folder.
      const path = join(folder, normalize(`/${Key}`));
      // The S3 console creates folders as empty objects.
      if (!Key.endsWith('/')) files.push({ key: Key, size: Size, modified: LastModified, path });
    }
  }
  return files;
}

/** Fetches an object to its file, which gets the time of the object. */
export async function fetchFile(
  s3: S3Client,
  bucket: string,
  { key, path, modified }: RemoteFile,
): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(Body instanceof Readable)) throw new Error(`s3://${bucket}/${key} has no body`);
  mkdirSync(dirname(path), { recursive: true });
  // An interrupted download must not be mistaken for the whole object. Another command may be fetching the same one.
  const part = `${path}.${process.pid}.part`;
  await pipeline(Body, createWriteStream(part));
  utimesSync(part, modified, modified);
  renameSync(part, path);
}
