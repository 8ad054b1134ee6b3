import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { isCompressed, typeOfDataFile } from './data-file.ts';
import { type DataFile, type Export, ExportError } from './export.ts';

/**
 * Verifies that the data files of an export are complete, and contain session records.
 *
 * @throws ExportError that names the file.
 */
export async function verify({ files }: Export): Promise<void> {
  for (const file of files) {
    if (!(await isComplete(file)))
      throw new ExportError(
        `${file.path} ${file.expected ? 'does not match its manifest: it ' : ''}was truncated or changed. Fetch it again.`,
      );
  }
  const [first] = files;
  if (first && typeOfDataFile(first.path) === undefined)
    throw new ExportError(
      `${first.path} contains no session records: it belongs to an export of another table.`,
    );
}

/** Whether a file matches its manifest: by its checksum, or else by the number of its lines. */
async function isComplete({ path, expected }: DataFile): Promise<boolean> {
  // AWS does not document whether the checksum is that of the compressed file. A decompressed copy has another one.
  if (expected && (await md5(path)) === expected.md5Checksum) return true;
  const lines = await countLines(path);
  return lines !== undefined && lines === (expected?.itemCount ?? lines);
}

async function md5(path: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('base64');
}

/** Undefined if the file is truncated. */
async function countLines(path: string): Promise<number | undefined> {
  const decompress = isCompressed(path) ? createGunzip() : new PassThrough();
  let lines = 0;
  try {
    await pipeline(createReadStream(path), decompress, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks)
        for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) lines++;
    });
  } catch {
    return undefined;
  }
  return lines;
}
