import { decompressed } from './decompressed.ts';
import { LogExportError } from './log-export-error.ts';
import { connectionFailure, openLink } from './open-link.ts';

interface Settings {
  /** The base URL of the log export. Only its origin gets the API key. */
  baseUrl: string;
  apiKey: string;
  fetch?: typeof globalThis.fetch;
  /** How long a response, or its next bytes, may take, in milliseconds. Default: one minute. */
  stallMs?: number;
  /** Maximum size of a file as received. Default: 5 GB. */
  maxBytes?: number;
  /** Maximum size of a file after decompression. Default: 20 GB. */
  maxDecompressedBytes?: number;
}

/** A file of an export. */
export interface Link {
  link: string;
  /** When the link expires, in UTC, if 8x8 said so. */
  expires: string | undefined;
}

const STALL_MS = 60_000;
const MAX_BYTES = 5e9;
const MAX_DECOMPRESSED_BYTES = 20e9;

/**
 * Returns a function that downloads a file of an export. The request is sent when the first bytes are read, and memory
 * stays constant: nothing is read ahead of the consumer but one chunk. Gzip is decompressed.
 *
 * The iteration throws a LogExportError if the file does not arrive completely, which may be after most of its bytes.
 */
export function downloader({
  maxBytes = MAX_BYTES,
  maxDecompressedBytes = MAX_DECOMPRESSED_BYTES,
  ...settings
}: Settings): (link: Link) => AsyncGenerator<Uint8Array> {
  return (link) =>
    limited(
      decompressed(limited(received(link, settings), maxBytes, 'received')),
      maxDecompressedBytes,
      'long',
    );
}

/** The bytes as the server sends them. */
async function* received(
  { link, expires }: Link,
  { baseUrl, apiKey, fetch = globalThis.fetch, stallMs = STALL_MS }: Settings,
): AsyncGenerator<Uint8Array> {
  const abort = new AbortController();
  const signal = abort.signal;
  try {
    const opening = openLink(link, { baseUrl, apiKey, fetch, signal, expires });
    const response = await beforeStall(opening, stallMs).catch((error: unknown) => {
      throw error instanceof LogExportError ? error : connectionFailure(error, 'unavailable');
    });
    const reader = response.body?.getReader();
    let bytes = 0;
    while (reader) {
      const { done, value } = await beforeStall(reader.read(), stallMs).catch((error: unknown) => {
        throw error instanceof LogExportError ? error : connectionFailure(error, 'cut-off');
      });
      if (done) break;
      bytes += value.byteLength;
      yield value;
    }
    assertComplete(response, bytes);
  } finally {
    // Closes the connection if the consumer stops early, and after a failure.
    abort.abort();
  }
}

/** Waits for the next bytes. The time that the consumer takes does not count. */
async function beforeStall<T>(arrival: Promise<T>, stallMs: number): Promise<T> {
  const stall = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      stall.reject(
        new LogExportError(
          'stalled',
          `8x8 sent nothing of a file of the log export for ${stallMs / 1_000} seconds. It is downloaded again with the next attempt.`,
        ),
      ),
    stallMs,
  );
  try {
    return await Promise.race([arrival, stall.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** fetch verifies this too, unless a proxy between has cut the body. */
function assertComplete({ headers }: Response, bytes: number): void {
  // fetch has decompressed such a body, whose Content-Length is that of the compressed one.
  if ((headers.get('Content-Encoding') ?? 'identity') !== 'identity') return;
  const length = headers.get('Content-Length');
  if (length === null || bytes >= Number(length)) return;
  throw new LogExportError(
    'cut-off',
    `The download of a file of the log export ended after ${shown(bytes)} of ${shown(Number(length))} bytes. It is downloaded again with the next attempt.`,
  );
}

/** With separators, so that it is not masked as a phone number. */
function shown(bytes: number): string {
  return bytes.toLocaleString('en-US');
}

async function* limited(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: 'received' | 'long',
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes)
      throw new LogExportError(
        'too-large',
        `A file of the log export has more than ${maxBytes / 1e9} GB${what === 'long' ? ' after decompression' : ''}, the limit for one file. Ask 8x8 why its files are so large.`,
      );
    yield chunk;
  }
}
