import { type Delimiter, valuesOf } from './csv.ts';
import { LogExportError } from './log-export-error.ts';

/**
 * The columns that 8x8 documents, in its order. `Content`, which has what was said to whom, is not among them.
 *
 * @see https://developer.8x8.com/connect/reference, "Reporting API"
 */
export const COLUMNS = [
  ...(['SessionId', 'CallId', 'AccountId', 'SubAccountId', 'Direction'] as const),
  ...(['SourceCountryCode', 'SourceCountry', 'SourceOperator'] as const),
  ...(['SourceMCC', 'SourceMNC', 'SourceEndpoint'] as const),
  ...(['DestinationCountryCode', 'DestinationCountry', 'DestinationOperator'] as const),
  ...(['DestinationMCC', 'DestinationMNC', 'DestinationEndpoint'] as const),
  ...(['InitiatedAt', 'ConnectedAt', 'DisconnectedAt', 'DurationInSec', 'Product'] as const),
  ...(['BillingUnit', 'BillingIncrement', 'BillableDurationInSec'] as const),
  ...(['UnitPrice', 'UnitPriceCurrency', 'TotalPriceOfCall', 'CallType', 'SipStatus'] as const),
  ...(['SessionStatus', 'CallStatus', 'TTSLength', 'MOS'] as const),
] as const;
export type Column = (typeof COLUMNS)[number];

/** Without these, a row does not say which session of whom it belongs to, when that was, and how it ended. */
const REQUIRED: readonly Column[] = [
  ...(['SessionId', 'CallId', 'SubAccountId'] as const),
  ...(['InitiatedAt', 'ConnectedAt', 'DisconnectedAt', 'SessionStatus'] as const),
];

/** Where the columns of a file are. */
export interface Header {
  delimiter: Delimiter;
  /** The number of values of each record. */
  width: number;
  /** The position of the session's id. */
  sessionId: number;
  /** The documented columns that the file has, in the documented order, with their positions. */
  columns: readonly (readonly [Column, number])[];
}

const NAMES = new Map(COLUMNS.map((column) => [normalisedName(column), column]));

/** `session_id`, `Session Id` and `SESSION-ID` are `SessionId`. */
function normalisedName(name: string): string {
  return name.replace(/[ _-]/g, '').toLowerCase();
}

/** The documented columns that a record names. */
function namedColumns(record: readonly string[]): Column[] {
  return record.flatMap((name) => NAMES.get(normalisedName(name)) ?? []);
}

const DELIMITERS: readonly Delimiter[] = [',', ';', '\t'];

/**
 * Reads a record as a header, with the delimiter with which it is one. Returns undefined if it is not: a required column
 * is missing.
 *
 * @throws LogExportError if it is a header that has two readings.
 */
export function readHeader(record: string): Header | undefined {
  for (const delimiter of DELIMITERS) {
    const names = valuesOf(record, delimiter) ?? [];
    const named = namedColumns(names);
    if (!REQUIRED.every((column) => named.includes(column))) continue;
    const duplicate = named.find((column, i) => named.indexOf(column) !== i);
    if (duplicate !== undefined)
      throw wrongHeader(`has the column ${duplicate} more than once. Expected each column once`);
    if (names.some((name) => /[\r\n]/.test(name))) throw wrongHeader('has a name with a line end');
    const columns = COLUMNS.flatMap((column) => {
      const position = names.findIndex((name) => NAMES.get(normalisedName(name)) === column);
      return position === -1 ? [] : [[column, position] as const];
    });
    // Spreadsheets write a delimiter after the last name.
    const width = names.length - (names.at(-1) === '' ? 1 : 0);
    return { delimiter, width, sessionId: columns[0]?.[1] ?? 0, columns };
  }
  return undefined;
}

/** Whether a record that is not a row may be a header, also in another language: a row has digits. */
export function looksLikeHeader(record: readonly string[]): boolean {
  const values = record.filter((value) => value.trim() !== '');
  return namedColumns(record).length > 1 || (values.length > 1 && !values.some((value) => /\d/.test(value)));
}

/** The error for a file that begins with neither a header nor a row. Shows documented names, and nothing else. */
export function unknownHeader(first: string, second: string | undefined): LogExportError {
  if (/^\W*sep=/i.test(first))
    return wrongHeader(
      'begins with a line sep=, which spreadsheets write. Expected the names of the columns',
    );
  if (second !== undefined && readHeader(second))
    return wrongHeader(
      'begins with a title line. Expected the names of the columns, which are in the next line',
    );
  const readings = DELIMITERS.map((delimiter) => valuesOf(first, delimiter) ?? []);
  const [names = []] = readings.toSorted(
    (a, b) => namedColumns(b).length - namedColumns(a).length || b.length - a.length,
  );
  const found = namedColumns(names);
  const others = names.length - found.length;
  const missing = REQUIRED.filter((column) => !found.includes(column));
  const shown = [...found, ...(others > 0 ? [`${others} other ${others === 1 ? 'value' : 'values'}`] : [])];
  return wrongHeader(`cannot be read: it lacks ${missing.join(', ')}. Found ${shown.join(', ') || 'none'}`);
}

export function wrongHeader(what: string): LogExportError {
  return new LogExportError(
    'wrong-header',
    `The header of a file of the log export ${what}. Ask 8x8 whether the columns of the log export have changed.`,
  );
}
