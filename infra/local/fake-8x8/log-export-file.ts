import { type ApiAnswer, DroppedConnection } from './exchange.ts';
import { COLUMNS, type Row } from './log-export-rows.ts';
import type { LogExportSwitches } from './switches.ts';

/** Answers the download of a file, which is generated while it is sent. */
export function fileAnswer(
  rows: Iterable<Row>,
  { headers, cut }: LogExportSwitches,
  { isFirst }: { isFirst: boolean },
): ApiAnswer {
  const texts = csvOf(rows, headers === 'every' || isFirst);
  const isCut = cut !== undefined && cut.downloads-- > 0;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/csv' },
    content: cutAfter(inChunks(texts), isCut ? cut.after : Number.POSITIVE_INFINITY),
  };
}

/** Closes the connection after this number of bytes. @throws DroppedConnection */
async function* cutAfter(bytes: Iterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for (const chunk of bytes) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left < 0) throw new DroppedConnection();
  }
}

/** The text of a file, a row at a time, so that a file may be larger than memory. */
function* csvOf(rows: Iterable<Row>, hasHeader: boolean): Generator<string> {
  const lineOf = (values: readonly string[]) => `${values.map(quoted).join()}\n`;
  if (hasHeader) yield lineOf(COLUMNS);
  for (const { cells } of rows) yield lineOf(COLUMNS.map((column) => cells[column] ?? ''));
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const CHUNK_LENGTH = 65_536;

/** Encodes text in chunks. */
function* inChunks(texts: Iterable<string>): Generator<Uint8Array> {
  let pending = '';
  for (const text of texts) {
    pending += text;
    if (pending.length < CHUNK_LENGTH) continue;
    yield Buffer.from(pending);
    pending = '';
  }
  if (pending !== '') yield Buffer.from(pending);
}
