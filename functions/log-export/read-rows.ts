import type { Header } from './columns.ts';
import { type CsvFile, openCsvFile } from './csv-file.ts';
import { type LegRow, readLegRow } from './leg-row.ts';
import { LogExportError } from './log-export-error.ts';

/** A row, or why a record is none. Records count from 1 in each file, including the header, but no blank lines. */
export type ReadRow =
  | { outcome: 'row'; row: LegRow }
  | { outcome: 'refused'; file: number; row: number; reason: string };

/**
 * Reads the files of an export one after the other, with constant memory. The first file that is not empty must begin
 * with a header; each later one may.
 *
 * @param files - Each is opened, by iterating it, only when those before it have been read.
 * @param subAccountId - A row of another sub-account is refused.
 * @param reasonToRefuse - Returns why a row is refused for another reason; undefined if it is not.
 * @throws LogExportError if a file cannot be read to its end.
 */
export async function* readRows(
  files: Iterable<AsyncIterable<Uint8Array>> | AsyncIterable<AsyncIterable<Uint8Array>>,
  subAccountId: string,
  reasonToRefuse: (row: LegRow) => string | undefined = () => undefined,
): AsyncGenerator<ReadRow> {
  let header: Header | undefined;
  let number = 0;
  for await (const chunks of files) {
    number++;
    const file = await openCsvFile(chunks, header);
    if (!file) continue;
    header = file.header;
    yield* rowsOf(file, number, subAccountId, reasonToRefuse);
  }
  if (header === undefined) throw emptyExport(number);
}

async function* rowsOf(
  file: CsvFile,
  number: number,
  subAccountId: string,
  reasonToRefuse: (row: LegRow) => string | undefined,
): AsyncGenerator<ReadRow> {
  const { header, hasHeader, records, endsWithLineEnd } = file;
  let row = 0;
  /** A record with too few fields, which is a record that is cut off if it is the last. */
  let short: ReadRow | undefined;
  for await (const record of records) {
    row++;
    if (short) yield short;
    short = undefined;
    assertNoStrayQuote(record, number, row);
    if (row === 1 && hasHeader) continue;
    const read = readLegRow(record, header, subAccountId);
    const reason = read.outcome === 'row' ? reasonToRefuse(read.row) : read.reason;
    if (read.outcome === 'row' && reason === undefined) {
      yield read;
      continue;
    }
    const refused = { outcome: 'refused', file: number, row, reason: reason ?? '' } as const;
    if (record.length < header.width) short = refused;
    else yield refused;
  }
  if (!short) return;
  if (!endsWithLineEnd()) throw cutOff(number, row);
  yield short;
}

/**
 * A quote that does not end its value, such as in `"a"b`, is kept, because most such values are names. But a value that
 * also has a line end has probably swallowed whole records since a quote that is missing.
 */
function assertNoStrayQuote(record: readonly string[], file: number, row: number): void {
  if (!record.some((value) => value.startsWith('"') && value.includes('\n'))) return;
  throw new LogExportError(
    'not-csv',
    `File ${file} of the log export is not CSV: in record ${row}, the quotes do not match. Expected RFC 4180.`,
  );
}

function cutOff(file: number, row: number): LogExportError {
  return new LogExportError(
    'cut-off',
    `File ${file} of the log export ends within record ${row}: it is cut off. It is downloaded again with the next attempt.`,
  );
}

function emptyExport(files: number): LogExportError {
  return new LogExportError(
    'not-csv',
    `The log export has no header, because all of its files are empty (${files}). Expected at least a header. The next attempt starts another export.`,
  );
}
