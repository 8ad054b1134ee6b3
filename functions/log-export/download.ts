import { closeSync, readSync, writeSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { LogExportError } from './log-export-error.ts';
import { connectionFailure, openLink } from './open-link.ts';
import { temporaryFile } from './temporary-file.ts';

interface Settings {
  /** The base URL of the log export. Only its origin gets the API key. */
  baseUrl: string;
  apiKey: string;
  /** How long a response, or its next bytes, may take, in milliseconds. Default: one minute. */
  stallMs?: number;
  /** Maximum size of all files of an export in /tmp. Default: `MAX_BYTES`. */
  maxBytes?: number;
}

/** A file of an export. */
export interface Link {
  link: string;
  /** When the link expires, in UTC, if 8x8 said so. */
  expires: string | undefined;
}

/** The files of an export in /tmp, complete and decompressed. They can be read any number of times. */
export interface DownloadedFiles extends Disposable {
  /** The bytes of each file, from its beginning. */
  read(): AsyncIterable<Uint8Array>[];
}

const STALL_MS = 60_000;

/** The template has room for this and for the rows of a day (infra/constructs/reconciliation.ts). */
const MAX_BYTES = 8e9;

/** A file within the local file. */
interface Range {
  start: number;
  size: number;
}

/**
 * Returns a function that downloads the files of an export. It rejects with a LogExportError unless each of them is
 * complete: it has a Content-Length or a final chunk, and the trailer of gzip if it is compressed.
 */
export function downloader({
  stallMs = STALL_MS,
  maxBytes = MAX_BYTES,
  ...settings
}: Settings): (links: readonly Link[]) => Promise<DownloadedFiles> {
  return async (links) => {
    const local = new LocalFile(maxBytes);
    try {
      const ranges: Range[] = [];
      for (const link of links) {
        const response = await openLink({ ...link, ...settings, stallMs });
        ranges.push(await decompressed(local, await received(local, response)));
      }
      return { read: () => ranges.map((range) => local.read(range)), [Symbol.dispose]: () => local.close() };
    } catch (error) {
      local.close();
      throw error;
    }
  };
}

/** A file in /tmp to which others are appended. Its streams would close it with themselves. */
class LocalFile {
  readonly #file = temporaryFile();
  readonly #maxBytes: number;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async append(chunks: AsyncIterable<Uint8Array>): Promise<Range> {
    const start = this.#size;
    for await (const chunk of chunks) {
      if (this.#size + chunk.byteLength > this.#maxBytes) throw tooLarge(this.#maxBytes);
      for (let at = 0; at < chunk.byteLength; )
        at += writeSync(this.#file, chunk, at, chunk.byteLength - at, this.#size + at);
      this.#size += chunk.byteLength;
    }
    return { start, size: this.#size - start };
  }

  async *read({ start, size }: Range): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, size - at));
      const bytes = readSync(this.#file, chunk, 0, chunk.byteLength, start + at);
      at += bytes;
      yield chunk.subarray(0, bytes);
    }
  }

  isGzip({ start, size }: Range): boolean {
    const bytes = Buffer.alloc(2);
    return size >= 2 && readSync(this.#file, bytes, 0, 2, start) === 2 && bytes.readUInt16BE() === GZIP;
  }

  close(): void {
    closeSync(this.#file);
  }
}

const READ_BYTES = 262_144;
/** The first bytes of a compressed file. */
const GZIP = 0x1f8b;

/** The bytes as the server sends them. @throws LogExportError unless they are all that it has. */
async function received(local: LocalFile, response: IncomingMessage): Promise<Range> {
  const { headers } = response;
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': transfer = '' } = headers;
  try {
    if (!/^(?:identity|(?:x-)?gzip)$/i.test(encoding))
      throw unexpected('a Content-Encoding other than gzip, although identity was requested');
    if (headers['content-length'] === undefined && !/\bchunked\b/i.test(transfer))
      throw unexpected('neither a Content-Length nor chunks, so that a file that is cut off looks complete');
    // Node fails if a body lacks bytes of its Content-Length, or its final chunk.
    const range = await local.append(response);
    if (!/^identity$/i.test(encoding) && !local.isGzip(range)) throw damaged();
    return range;
  } catch (error) {
    throw error instanceof LogExportError ? error : connectionFailure(error, 'cut-off');
  } finally {
    response.destroy();
  }
}

function unexpected(what: string): LogExportError {
  return new LogExportError(
    'unexpected-answer',
    `A download of the log export has ${what}. Ask 8x8 about its download links, or whoever runs the proxy between.`,
  );
}

/** Decompresses a file if it is gzip, by its first bytes: 8x8 documents no compression. */
async function decompressed(local: LocalFile, received: Range): Promise<Range> {
  if (!local.isGzip(received)) return received;
  const gunzip = createGunzip();
  // Its failure also ends the iteration of `gunzip`.
  pipeline(local.read(received), gunzip).catch(() => {});
  return local.append(gunzip).catch((error: unknown) => {
    throw error instanceof LogExportError ? error : damaged();
  });
}

function damaged(): LogExportError {
  return new LogExportError(
    'cut-off',
    'A compressed file of the log export is damaged or cut off. It is downloaded again with the next attempt.',
  );
}

function tooLarge(maxBytes: number): LogExportError {
  return new LogExportError(
    'too-large',
    `The files of the log export have more than ${maxBytes / 1e9} GB, the room that the function has for them. Ask 8x8 why they are so large.`,
  );
}
