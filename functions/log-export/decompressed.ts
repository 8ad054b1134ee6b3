import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { LogExportError } from './log-export-error.ts';
import { peek } from './peek.ts';

const GZIP = [0x1f, 0x8b];
const ZIP = [0x50, 0x4b, 0x03, 0x04];

/**
 * Decompresses a file if it is gzip, by its first bytes: 8x8 documents no compression.
 *
 * @throws LogExportError if it is a zip archive, or damaged.
 */
export async function* decompressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const { head, all, close } = await peek(chunks, (chunk) => {
    bytes += chunk.byteLength;
    return bytes >= ZIP.length;
  });
  if (startsWith(head, ZIP)) {
    await close();
    throw zipRefused();
  }
  yield* startsWith(head, GZIP) ? gunzipped(all) : all;
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

async function* gunzipped(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // Its failure also ends the iteration below.
  pipeline(chunks, gunzip).catch(() => {});
  try {
    for await (const chunk of gunzip) yield chunk;
  } catch (error) {
    throw error instanceof LogExportError ? error : damaged(error);
  }
}

function damaged(error: unknown): LogExportError {
  const isCut = error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
  return new LogExportError(
    'cut-off',
    `A compressed file of the log export is ${isCut ? 'cut off' : 'damaged'}. It is downloaded again with the next attempt.`,
  );
}

function zipRefused(): LogExportError {
  return new LogExportError(
    'not-csv',
    'A file of the log export is a zip archive. Expected CSV, or CSV compressed with gzip. Ask 8x8 to export CSV.',
  );
}
