import { COLUMNS, type Row } from './log-export-rows.ts';

/** The text of a file, a row at a time, so that a file may be larger than memory. */
export function* csvOf(rows: Iterable<Row>, hasHeader: boolean): Generator<string> {
  const lineOf = (values: readonly string[]) => `${values.map(quoted).join()}\n`;
  if (hasHeader) yield lineOf(COLUMNS);
  for (const { cells } of rows) yield lineOf(COLUMNS.map((column) => cells[column] ?? ''));
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const CHUNK_LENGTH = 65_536;

/** Encodes text in chunks. */
export function* inChunks(texts: Iterable<string>): Generator<Uint8Array> {
  let pending = '';
  for (const text of texts) {
    pending += text;
    if (pending.length < CHUNK_LENGTH) continue;
    yield Buffer.from(pending);
    pending = '';
  }
  if (pending !== '') yield Buffer.from(pending);
}
