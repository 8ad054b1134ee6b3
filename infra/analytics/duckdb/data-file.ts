import { closeSync, openSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { ERASED_AT } from '../../../functions/recorder/tombstone.ts';
import type { Export } from './export.ts';

const Key = v.object({ sessionId: v.object({ S: v.string() }) });
const Text = v.object({ S: v.string() });
const Item = v.intersect([Key, v.union([v.object({ digest: Text }), v.object({ [ERASED_AT]: Text })])]);
const Line = v.pipe(
  v.string(),
  v.parseJson(),
  v.union([
    v.pipe(
      v.object({ Item }),
      v.transform((): Export['type'] => 'full'),
    ),
    v.pipe(
      v.object({ Keys: Key }),
      v.transform((): Export['type'] => 'incremental'),
    ),
  ]),
);

/**
 * Determines from its first line which type of export a data file belongs to: `none` for an empty file, which DynamoDB
 * writes for an empty partition; undefined without session records.
 */
export function typeOfDataFile(path: string): Export['type'] | 'none' | undefined {
  const line = firstLine(path);
  if (line === '') return 'none';
  const parsed = v.safeParse(Line, line);
  return parsed.success ? parsed.output : undefined;
}

/** Whether a file may contain data. macOS writes the metadata of a file to another one, whose name starts with `._`. */
export function isDataFile(name: string): boolean {
  return /\.json(\.gz)?$/.test(name) && !name.startsWith('._');
}

/** Whether a file is compressed with gzip. Its name does not tell: some tools decompress what they download. */
export function isCompressed(path: string): boolean {
  return readStart(path, 2).equals(GZIP_MAGIC);
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** More than a line with two images of an item, each of 400 KB. */
const MAX_LINE_BYTES = 2 ** 21;

function firstLine(path: string): string | undefined {
  const start = readStart(path, MAX_LINE_BYTES);
  try {
    const text = isCompressed(path)
      ? gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 30 })
      : start;
    return text.subarray(0, MAX_LINE_BYTES).toString().split('\n', 1)[0];
  } catch {
    return undefined;
  }
}

function readStart(path: string, bytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
}
