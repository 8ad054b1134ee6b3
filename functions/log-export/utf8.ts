import { LogExportError } from './log-export-error.ts';

/**
 * Passes bytes on, and asserts that they are UTF-8: anything else would be replaced silently.
 *
 * @param onChunk - Gets the last byte of each chunk before it is passed on.
 * @throws LogExportError
 */
export async function* utf8(
  chunks: AsyncIterable<Uint8Array>,
  onChunk: (lastByte: number | undefined) => void,
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) {
    assertDecodes(() => decoder.decode(chunk, { stream: true }), notUtf8);
    if (chunk.byteLength > 0) onChunk(chunk.at(-1));
    yield chunk;
  }
  assertDecodes(() => decoder.decode(), cutOff);
}

function assertDecodes(decode: () => string, failure: () => LogExportError): void {
  try {
    decode();
  } catch {
    throw failure();
  }
}

function notUtf8(): LogExportError {
  return new LogExportError(
    'not-utf8',
    'A file of the log export is not text in UTF-8. Ask 8x8 for its encoding.',
  );
}

function cutOff(): LogExportError {
  return new LogExportError(
    'cut-off',
    'A file of the log export ends within a character: it is cut off. It is downloaded again with the next attempt.',
  );
}
