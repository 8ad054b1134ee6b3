import { closeSync, createReadStream, readSync, writeSync } from 'node:fs';
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
export interface DownloadedFiles {
  /** The bytes of each file, from its beginning. */
  read(): AsyncIterable<Uint8Array>[];
  close(): void;
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
      return { read: () => ranges.map((range) => local.read(range)), close: () => local.close() };
    } catch (error) {
      local.close();
      throw error;
    }
  };
}

/** A file in /tmp to which others are appended. */
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
      for (let written = 0; written < chunk.byteLength; )
        written += writeSync(this.#file, chunk, written, chunk.byteLength - written, this.#size + written);
      this.#size += chunk.byteLength;
    }
    return { start, size: this.#size - start };
  }

  async *read({ start, size }: Range): AsyncGenerator<Uint8Array> {
    if (size === 0) return;
    const options = {
      fd: this.#file,
      start,
      end: start + size - 1,
      autoClose: false,
      highWaterMark: 262_144,
    };
    yield* createReadStream('', options);
  }

  startsWith({ start, size }: Range, magic: Buffer): boolean {
    const bytes = Buffer.alloc(magic.length);
    return (
      size >= magic.length && readSync(this.#file, bytes, 0, magic.length, start) > 0 && bytes.equals(magic)
    );
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The bytes as the server sends them. @throws LogExportError unless they are all that it has. */
async function received(local: LocalFile, response: IncomingMessage): Promise<Range> {
  try {
    assertProvable(response);
    const range = await local.append(response);
    if (!response.complete) throw new Error('The server closed the connection');
    return assertCompressed(local, range, response);
  } catch (error) {
    throw error instanceof LogExportError ? error : connectionFailure(error, 'cut-off');
  } finally {
    response.destroy();
  }
}

/** Node ends a body that lacks bytes of its Content-Length, or its final chunk, with an error. */
function assertProvable({ headers }: IncomingMessage): void {
  const { 'content-encoding': encoding = 'identity' } = headers;
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding.toLowerCase()))
    throw unexpected('a Content-Encoding other than gzip, although identity was requested');
  const isChunked = /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
  if (headers['content-length'] === undefined && !isChunked)
    throw unexpected('neither a Content-Length nor chunks, so that a file that is cut off looks complete');
}

function unexpected(what: string): LogExportError {
  return new LogExportError(
    'unexpected-answer',
    `A download of the log export has ${what}. Ask 8x8 about its download links, or whoever runs the proxy between.`,
  );
}

const GZIP = Buffer.from([0x1f, 0x8b]);

function assertCompressed(local: LocalFile, range: Range, { headers }: IncomingMessage): Range {
  if (/gzip/i.test(headers['content-encoding'] ?? '') && !local.startsWith(range, GZIP)) throw damaged();
  return range;
}

/** Twice, because the server may compress a compressed file for the transfer. */
const MAX_COMPRESSIONS = 2;

/** Decompresses a file if it is gzip, by its first bytes: 8x8 documents no compression. */
async function decompressed(local: LocalFile, received: Range): Promise<Range> {
  let range = received;
  for (let i = 0; i < MAX_COMPRESSIONS && local.startsWith(range, GZIP); i++)
    range = await gunzipped(local, range);
  return range;
}

async function gunzipped(local: LocalFile, range: Range): Promise<Range> {
  const gunzip = createGunzip();
  // Its failure also ends the iteration of `gunzip`.
  pipeline(local.read(range), gunzip).catch(() => {});
  try {
    return await local.append(gunzip);
  } catch (error) {
    throw error instanceof LogExportError ? error : damaged();
  }
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
