import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { type DataFile, type Export, ExportError } from './export-folder.ts';

/**
 * Verifies that the data files of an export are intact and contain session records.
 *
 * @throws ExportError that names the file.
 */
export async function verify({ files }: Export): Promise<void> {
  for (const file of files) {
    if (!(await isIntact(file)))
      throw new ExportError(
        `${file.path} does not match its manifest: it was truncated or changed. Fetch it again.`,
      );
  }
  const path = files[0]?.path;
  if (path !== undefined && !v.is(SessionLine, await firstLine(path))) {
    throw new ExportError(`${path} contains no session records: it belongs to an export of another table.`);
  }
}

/** AWS does not document what the checksum covers. If it is not that of the file, the number of lines must match. */
async function isIntact({ path, md5Checksum, itemCount }: DataFile): Promise<boolean> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  if (hash.digest('base64') === md5Checksum) return true;
  let lines = 0;
  try {
    await pipeline(createReadStream(path), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks)
        for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) lines++;
    });
  } catch {
    return false;
  }
  return lines === itemCount;
}

const Key = v.object({ sessionId: v.object({ S: v.string() }) });
const SessionLine = v.pipe(
  v.string(),
  v.parseJson(),
  v.union([
    v.object({ Item: v.intersect([Key, v.object({ digest: v.object({ S: v.string() }) })]) }),
    v.object({ Keys: Key }),
  ]),
);

/** The first line of a file; undefined if the file is not compressed with gzip. */
async function firstLine(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    // 1 MiB is more than the largest item.
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(1 << 20) });
    const finishFlush = constants.Z_SYNC_FLUSH;
    return gunzipSync(buffer.subarray(0, bytesRead), { finishFlush }).toString().split('\n', 1)[0];
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
