import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { MANIFEST_FILES, MANIFEST_SUMMARY } from './export-manifest.ts';

export interface ExportToWrite {
  tableArn: string;
  /** The items as DynamoDB JSON. */
  items: AsyncIterable<string> | Iterable<string>;
  /** DynamoDB writes one or more files per partition of the table. */
  fileCount: number;
  /** The time of the export, in milliseconds since 1970. */
  time: number;
}

/**
 * Writes a full export, laid out as DynamoDB does, to a new subfolder.
 *
 * @returns The path of that subfolder, and the number of items.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
 */
export async function writeExport(
  folder: string,
  { tableArn, items, fileCount, time }: ExportToWrite,
): Promise<{ path: string; itemCount: number }> {
  const id = `${String(time).padStart(14, '0')}-${randomBytes(4).toString('hex')}`;
  const prefix = `AWSDynamoDB/${id}`;
  const path = join(folder, prefix);
  mkdirSync(join(path, 'data'), { recursive: true });
  writeFileSync(join(path, '_started'), '');

  const files = Array.from({ length: fileCount }, () => dataFile(path, prefix));
  let itemCount = 0;
  for await (const item of items) {
    await files[itemCount % fileCount]?.add(item);
    itemCount++;
  }
  const lines = await Promise.all(files.map((file) => file.end()));

  writeManifest(join(path, MANIFEST_FILES), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const iso = new Date(time).toISOString();
  const summary = {
    version: '2020-06-30',
    exportArn: `${tableArn}/export/${id}`,
    startTime: iso,
    endTime: iso,
    tableArn,
    exportTime: iso,
    s3Prefix: null,
    manifestFilesS3Key: `${prefix}/${MANIFEST_FILES}`,
    billedSizeBytes: 0,
    itemCount,
    outputFormat: 'DYNAMODB_JSON',
  };
  writeManifest(join(path, MANIFEST_SUMMARY), JSON.stringify(summary));
  return { path, itemCount };
}

function writeManifest(path: string, text: string): void {
  writeFileSync(path, text);
  writeFileSync(path.replace(/json$/, 'md5'), createHash('md5').update(text).digest('base64'));
}

/** Writes a data file. `end` returns its line of the manifest. */
function dataFile(path: string, prefix: string) {
  const name = `${randomBytes(16).toString('hex')}.json.gz`;
  const hash = createHash('md5');
  const lines = new PassThrough();
  const hashed = new Transform({
    transform(chunk, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const written = pipeline(lines, createGzip(), hashed, createWriteStream(join(path, 'data', name)));
  // `add` and `end` report the error. Until one of them is called, it must not be an unhandled rejection.
  written.catch(() => {});
  let itemCount = 0;
  return {
    async add(item: string): Promise<void> {
      itemCount++;
      if (!lines.write(`{"Item":${item}}\n`)) await Promise.race([once(lines, 'drain'), written]);
    },
    async end() {
      lines.end();
      await written;
      const md5Checksum = hash.digest();
      return {
        itemCount,
        md5Checksum: md5Checksum.toString('base64'),
        etag: `${md5Checksum.toString('hex')}-1`,
        dataFileS3Key: `${prefix}/data/${name}`,
      };
    },
  };
}
