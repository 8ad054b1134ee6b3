import { canonicalId } from './canonical-id.ts';
import { type Header, looksLikeHeader, readHeader, unknownHeader, wrongHeader } from './columns.ts';
import { cutOff, notCsv, recordsIn, valuesOf } from './csv.ts';
import { type ReadRecord, type RowScope, readLegRow } from './leg-row.ts';
import { LogExportError } from './log-export-error.ts';

/** A record of an export. Records count from 1 in each file, including the header, but no blank lines. */
export type ReadRow = ReadRecord & { file: number; record: number };

/**
 * Reads the files of an export one after the other, and yields the rows of each chunk together. The first file that is
 * not empty must begin with a header; each later one with a header, or with a row under the header before it.
 *
 * @param isWanted Of files that were read before: the sessions whose rows are read. Default: all.
 * @throws LogExportError if a file cannot be read to its end.
 */
export async function* readRows(
  files: readonly AsyncIterable<Uint8Array>[],
  scope: RowScope,
  isWanted?: (sessionId: string) => boolean,
): AsyncGenerator<ReadRow[]> {
  let header: Header | undefined;
  for (const [i, chunks] of files.entries()) {
    const file = new FileReader(i + 1, scope, header, isWanted);
    for await (const { records, isCut } of recordsIn(chunks)) yield file.read(records, isCut);
    file.end();
    ({ header } = file);
  }
  if (files.length > 0 && header === undefined)
    throw new LogExportError(
      'not-csv',
      `The log export has no header, because all of its files are empty (${files.length}). Expected at least a header. The next attempt starts another export.`,
    );
}

/** Reads the records of one file. */
class FileReader {
  /** The header of the file, or that of an earlier file if it has none. */
  header: Header | undefined;
  readonly #rowOf: (values: readonly string[], header: Header) => ReadRecord | undefined;
  readonly #file: number;
  #record = 0;
  /** The first record, if it is neither a header nor a row: the error about it names what follows. */
  #unknown: string | undefined;

  constructor(
    file: number,
    scope: RowScope,
    earlier: Header | undefined,
    isWanted: (sessionId: string) => boolean = () => true,
  ) {
    this.#file = file;
    this.header = earlier;
    this.#rowOf = (values, header) =>
      this.#record === 1 || isWanted(canonicalId((values[header.sessionId] ?? '').trim()))
        ? readLegRow(values, header, scope)
        : undefined;
  }

  /** @param isCut Whether the last record has no line end. */
  read(records: readonly string[], isCut: boolean): ReadRow[] {
    const rows: ReadRow[] = [];
    for (const [i, record] of records.entries()) {
      this.#record++;
      if (this.#unknown !== undefined) throw unknownHeader(this.#unknown, record);
      const row = this.#read(record, isCut && i === records.length - 1);
      if (row) rows.push({ ...row, file: this.#file, record: this.#record });
    }
    return rows;
  }

  end(): void {
    if (this.#unknown !== undefined) throw unknownHeader(this.#unknown, undefined);
  }

  /** Returns the row; undefined for a header, and for what cannot be told before the next record. */
  #read(record: string, isCut: boolean): ReadRecord | undefined {
    const own = this.#record === 1 ? readHeader(record) : undefined;
    const { header } = this;
    if (own || !header) {
      this.header = own;
      if (!own) this.#unknown = record;
      return undefined;
    }
    const values = valuesOf(record, header.delimiter);
    if (!values) throw this.#quotesAstray();
    if (record.includes('\n') || record.includes('\r')) this.#assertNoRecordWithin(values, header);
    const read = this.#rowOf(values, header);
    if (read?.outcome !== 'refused') return read;
    if (this.#record === 1) {
      this.#unknown = record;
      return undefined;
    }
    if (isCut && values.length < header.width) throw cutOff(`ends within record ${this.#record}`);
    if (!looksLikeHeader(values)) return read;
    const repeated = readHeader(record);
    if (JSON.stringify(repeated) === JSON.stringify(header)) return undefined;
    throw wrongHeader(`is followed by another in record ${this.#record} of file ${this.#file}`);
  }

  /**
   * Between two quotes astray, whole records are part of a value. A documented column never has a line end. In another
   * one, such as `Content`, the lines then are records from the second to the last but one.
   */
  #assertNoRecordWithin(values: readonly string[], { columns, delimiter, width }: Header): void {
    for (const [position, value] of values.entries()) {
      if (!/[\r\n]/.test(value)) continue;
      const sizes = value.split(/\r?\n|\r/).map((line) => line.split(delimiter).length);
      const isLikeRecords =
        sizes.at(0) === width - position &&
        sizes.at(-1) === position + 1 &&
        sizes.slice(1, -1).every((size) => size === width);
      if (isLikeRecords || columns.some(([, documented]) => documented === position))
        throw this.#quotesAstray();
    }
  }

  #quotesAstray(): LogExportError {
    return notCsv(`in record ${this.#record} of file ${this.#file}, the quotes do not match`);
  }
}
