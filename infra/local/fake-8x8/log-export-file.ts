import { pipeline, Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import { type ApiAnswer, DroppedConnection } from './exchange.ts';
import { csvOf, inChunks } from './log-export-csv.ts';
import type { Row } from './log-export-rows.ts';
import type { LogExportSwitches } from './log-export-switches.ts';

/** Answers the download of a file. The file is generated while it is sent, unless its length is sent first. */
export function fileAnswer(
  rows: Iterable<Row>,
  switches: LogExportSwitches,
  { isFirst }: { isFirst: boolean },
): ApiAnswer {
  const hasHeader = switches.headers === 'every' || (switches.headers === 'first' && isFirst);
  const texts = switches.content === undefined ? csvOf(rows, switches, hasHeader) : [switches.content];
  const isCompressed = switches.gzip !== 'no';
  const whole = switches.contentLength ? wholeOf(texts, isCompressed) : undefined;
  const content = whole ? Readable.from([whole]) : bytesOf(texts, isCompressed);
  const { cut } = switches;
  const isCut = cut !== undefined && cut.downloads-- > 0;
  return {
    status: 200,
    headers: {
      'Content-Type': switches.gzip === 'file' ? 'application/gzip' : 'text/csv',
      ...(switches.gzip === 'transfer' && { 'Content-Encoding': 'gzip' }),
      ...(whole && !(isCut && cut.silently) && { 'Content-Length': String(whole.length) }),
    },
    content: isCut ? cutAfter(content, cut.after, cut.silently) : content,
  };
}

function wholeOf(texts: Iterable<string>, isCompressed: boolean): Buffer {
  const whole = Buffer.from([...texts].join(''));
  return isCompressed ? gzipSync(whole) : whole;
}

function bytesOf(texts: Iterable<string>, isCompressed: boolean): AsyncIterable<Uint8Array> {
  const chunks = Readable.from(inChunks(texts));
  return isCompressed ? pipeline(chunks, createGzip(), () => {}) : chunks;
}

/** Ends after this number of bytes: as if that were all, or with a closed connection. @throws DroppedConnection */
async function* cutAfter(
  bytes: AsyncIterable<Uint8Array>,
  count: number,
  silently: boolean,
): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of bytes) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left >= 0) continue;
    if (!silently) throw new DroppedConnection();
    return;
  }
}
