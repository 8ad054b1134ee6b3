import { LogExportError } from './log-export-error.ts';

/** The maximum length of a record, in characters. */
const MAX_RECORD_LENGTH = 1_000_000;

/**
 * Divides a CSV file into the texts of its records, those of each chunk together. Blank lines are skipped, and a byte
 * order mark.
 *
 * It is not left to a CSV library, because their options are what a library tolerates: they read a quote astray, or tell
 * nothing about it, where this reader has to refuse it.
 *
 * @throws LogExportError if the file is not text in UTF-8 with the line ends LF or CRLF.
 */
export async function* recordsIn(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ records: string[]; isCut: boolean }> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const lines = new OpenLines();
  for await (const chunk of chunks) yield { records: lines.add(decode(decoder, chunk)), isCut: false };
  const records = [...lines.add(decode(decoder)), ...lines.end()];
  yield { records, isCut: lines.isCut };
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    const text = decoder.decode(chunk, { stream: chunk !== undefined });
    if (CONTROL_CHARACTER.test(text))
      throw notCsv('it contains control characters, as a zip archive, UTF-16 or a final Ctrl-Z does');
    return text;
  } catch (error) {
    if (error instanceof LogExportError) throw error;
    throw new LogExportError(
      'not-utf8',
      'A file of the log export is not text in UTF-8. Ask 8x8 for its encoding.',
    );
  }
}

/** All but tab, CR and LF. */
const CONTROL_CHARACTER = /[^\P{Cc}\t\r\n]/u;

/** Collects text until it has the line end of a record: one that is not within quotes. */
class OpenLines {
  /** The lines of a record whose quotes are open, and their length. */
  #open: string[] = [];
  #openLength = 0;
  /** The beginning of a line. */
  #rest = '';
  /** Whether the file has ended without a line end. */
  isCut = false;

  add(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    const records = lines.flatMap((line) => this.#close(line));
    if (this.#rest.length + this.#openLength > MAX_RECORD_LENGTH)
      throw notCsv(this.#rest.includes('\r') ? CR_ALONE : 'a record has more than 1,000,000 characters');
    return records;
  }

  end(): string[] {
    this.isCut = this.#rest !== '';
    if (this.#rest.endsWith('\r') && !this.#rest.slice(0, -1).includes('\r'))
      throw cutOff('ends within a line end');
    const records = this.#close(this.#rest);
    if (this.#open.length > 0) throw cutOff('ends within quotes, or a quote is missing');
    return records;
  }

  /** Returns the record that ends with this line; none if it is blank or its quotes are open. */
  #close(line: string): string[] {
    const opensOrCloses = line.includes('"') && (line.split('"').length - 1) % 2 === 1;
    if (this.#open.length === 0 && !opensOrCloses) return withoutLineEnd(line);
    this.#open.push(line);
    this.#openLength += line.length + 1;
    if (this.#open.length === 1 || !opensOrCloses) return [];
    const record = this.#open.join('\n');
    this.#open = [];
    this.#openLength = 0;
    return withoutLineEnd(record);
  }
}

function withoutLineEnd(line: string): string[] {
  const record = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (record.includes('\r') && record.replaceAll(/"[^"]*"/g, '').includes('\r')) throw notCsv(CR_ALONE);
  return record === '' ? [] : [record];
}

const CR_ALONE = 'it has the line end CR; expected LF or CRLF';

/**
 * The values of a record; undefined if its quotes do not match. A value is as in RFC 4180, or `="…"`, with which
 * spreadsheets keep an id or a number as it is.
 */
export function valuesOf(record: string, delimiter: Delimiter): string[] | undefined {
  if (!record.includes('"')) return record.split(delimiter);
  const value = VALUES[delimiter];
  const values: string[] = [];
  for (value.lastIndex = 0; ; ) {
    const { quoted, plain = '', end } = value.exec(record)?.groups ?? {};
    if (end === undefined) return undefined;
    values.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') return values;
  }
}

export type Delimiter = ',' | ';' | '\t';

const VALUES: Readonly<Record<Delimiter, RegExp>> = { ',': value(','), ';': value(';'), '\t': value('\t') };

function value(delimiter: Delimiter): RegExp {
  const plain = `="[^"\\r\\n]*"|[^"\\r\\n${delimiter}]*`;
  return new RegExp(`(?:"(?<quoted>[^"]*(?:""[^"]*)*)"|(?<plain>${plain}))(?<end>${delimiter}|$)`, 'y');
}

export function notCsv(reason: string): LogExportError {
  return new LogExportError(
    'not-csv',
    `A file of the log export is not CSV that can be read for certain: ${reason}. Ask 8x8 for its format.`,
  );
}

export function cutOff(where: string): LogExportError {
  return new LogExportError(
    'cut-off',
    `A file of the log export is cut off: it ${where}. It is downloaded again with the next attempt.`,
  );
}
