import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { parse as parseAtOnce } from 'csv-parse/sync';
import { type Delimiter, type Header, readHeader, wrongHeader } from './columns.ts';
import { LogExportError } from './log-export-error.ts';
import { peek } from './peek.ts';
import { utf8 } from './utf8.ts';

/** A CSV file whose header is known. */
export interface CsvFile {
  /** The header of the file, or that of an earlier file if it has none. */
  header: Header;
  hasHeader: boolean;
  /** All records, including the header. Throws a LogExportError. */
  records: AsyncGenerator<string[]>;
  /** Whether what was read so far ends with a line end. */
  endsWithLineEnd: () => boolean;
}

/** The maximum size of a record. */
const MAX_RECORD_BYTES = 1_000_000;

/** RFC 4180 in UTF-8. Blank lines are skipped, and a quote inside a value without quotes is kept. */
const FORMAT = {
  bom: true,
  record_delimiter: ['\r\n', '\n'],
  skip_empty_lines: true,
  relax_quotes: true,
  relax_column_count: true,
  max_record_size: MAX_RECORD_BYTES,
};

const DELIMITERS: readonly Delimiter[] = [',', ';', '\t'];

/**
 * Opens a file, whose delimiter is the one with which its first record is a header. Returns undefined if it is empty.
 *
 * @param earlier - The header of an earlier file, for a file without one.
 * @throws LogExportError
 */
export async function openCsvFile(
  chunks: AsyncIterable<Uint8Array>,
  earlier: Header | undefined,
): Promise<CsvFile | undefined> {
  let lastByte: number | undefined;
  const bytes = utf8(chunks, (byte) => {
    lastByte = byte;
  });
  const { head, all, close } = await peek(bytes, endsFirstLine());
  try {
    const firsts = firstRecords(head);
    if (firsts.length === 0) {
      if (head.byteLength > MAX_RECORD_BYTES) throw recordTooLong();
      await close();
      return undefined;
    }
    const own = firsts.map(([delimiter, record]) => readHeader(record, delimiter)).find(Boolean);
    const header = own ?? earlier;
    if (header === undefined) throw wrongHeader(longest(firsts.map(([, record]) => record)));
    return {
      header,
      hasHeader: own !== undefined,
      records: recordsOf(all, header.delimiter, () => lastByte === CR),
      endsWithLineEnd: () => lastByte === LF,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Returns a function that is true of the chunk with the end of the first line that is not blank. */
function endsFirstLine(): (chunk: Uint8Array) => boolean {
  let bytes = 0;
  let isBlank = true;
  let isQuoted = false;
  return (chunk) => {
    for (const byte of chunk) {
      // The parser needs the LF after the CR.
      if (byte === LF && !isBlank && !isQuoted) return true;
      if (byte === QUOTE) isQuoted = !isQuoted;
      if (byte !== LF && byte !== CR) isBlank = false;
    }
    bytes += chunk.byteLength;
    return bytes > MAX_RECORD_BYTES;
  };
}

/** The first record as it is with each delimiter; none if there is none. */
function firstRecords(head: Buffer): (readonly [Delimiter, string[]])[] {
  try {
    return DELIMITERS.flatMap((delimiter) => {
      const [record] = parseAtOnce(head, { ...FORMAT, delimiter, to: 1 });
      return record === undefined ? [] : [[delimiter, record] as const];
    });
  } catch (error) {
    throw unreadable(error);
  }
}

/** The record with most fields, and so probably the one with the right delimiter. */
function longest(records: readonly string[][]): string[] {
  return records.reduce((most, record) => (record.length > most.length ? record : most), []);
}

async function* recordsOf(
  bytes: AsyncIterable<Uint8Array>,
  delimiter: Delimiter,
  endsWithinLineEnd: () => boolean,
): AsyncGenerator<string[]> {
  const parser = parse({ ...FORMAT, delimiter });
  // Its failure also ends the iteration below.
  pipeline(
    withRecords(bytes, () => parser.info.records),
    parser,
  ).catch(() => {});
  try {
    for await (const record of parser) yield record;
  } catch (error) {
    throw unreadable(error);
  }
  if (endsWithinLineEnd()) throw cutOff('within a line end');
}

/** Asserts that records arrive with the bytes: the parser's own limit does not count delimiters and blank lines. */
async function* withRecords(
  bytes: AsyncIterable<Uint8Array>,
  recordsSoFar: () => number,
): AsyncGenerator<Uint8Array> {
  let records = 0;
  let bytesSince = 0;
  for await (const chunk of bytes) {
    if (recordsSoFar() > records) bytesSince = 0;
    if (bytesSince > MAX_RECORD_BYTES) throw recordTooLong();
    records = recordsSoFar();
    bytesSince += chunk.byteLength;
    yield chunk;
  }
}

function cutOff(where: string): LogExportError {
  return new LogExportError(
    'cut-off',
    `A file of the log export is cut off: it ends ${where}. It is downloaded again with the next attempt.`,
  );
}

function recordTooLong(): LogExportError {
  return notCsv('a record has more than 1 MB');
}

function notCsv(reason: string): LogExportError {
  return new LogExportError('not-csv', `A file of the log export is not CSV: ${reason}. Expected RFC 4180.`);
}

/** The error of a file that is not CSV. The parser's own message quotes the file. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return cutOff('within a quoted value, or a quote is missing');
  return error.code === 'CSV_MAX_RECORD_SIZE' ? recordTooLong() : notCsv('its quotes do not match');
}
