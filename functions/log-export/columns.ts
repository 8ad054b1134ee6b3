import { printable } from '../voice-api/error-body.ts';
import { LogExportError } from './log-export-error.ts';

/**
 * The columns that 8x8 documents, in its order. `Content`, which has what was said to whom, is not among them.
 *
 * @see https://developer.8x8.com/connect/reference, "Reporting API"
 */
export const COLUMNS = [
  'SessionId',
  'CallId',
  'AccountId',
  'SubAccountId',
  'Direction',
  'SourceCountryCode',
  'SourceCountry',
  'SourceOperator',
  'SourceMCC',
  'SourceMNC',
  'SourceEndpoint',
  'DestinationCountryCode',
  'DestinationCountry',
  'DestinationOperator',
  'DestinationMCC',
  'DestinationMNC',
  'DestinationEndpoint',
  'InitiatedAt',
  'ConnectedAt',
  'DisconnectedAt',
  'DurationInSec',
  'Product',
  'BillingUnit',
  'BillingIncrement',
  'BillableDurationInSec',
  'UnitPrice',
  'UnitPriceCurrency',
  'TotalPriceOfCall',
  'CallType',
  'SipStatus',
  'SessionStatus',
  'CallStatus',
  'TTSLength',
  'MOS',
] as const;
export type Column = (typeof COLUMNS)[number];

const REQUIRED: readonly Column[] = ['SessionId', 'CallId', 'InitiatedAt', 'SessionStatus'];

/** Where the columns of a file are. */
export interface Header {
  delimiter: Delimiter;
  /** The number of fields of each record. */
  width: number;
  /** The documented columns that the file has, in the documented order, with their positions. */
  columns: readonly (readonly [Column, number])[];
}

export type Delimiter = ',' | ';' | '\t';

const NAMES = new Map(COLUMNS.map((column) => [normalisedName(column), column]));

/** `session_id`, `Session Id` and `SESSION-ID` are `SessionId`. */
function normalisedName(name: string): string {
  return name.replace(/[\s_-]/g, '').toLowerCase();
}

/** Reads a record as a header. Returns undefined if it is not one: a required column is missing. */
export function readHeader(record: readonly string[], delimiter: Delimiter): Header | undefined {
  const positions = new Map<Column, number>();
  let duplicate: Column | undefined;
  for (const [position, name] of record.entries()) {
    const column = NAMES.get(normalisedName(name));
    if (column === undefined) continue;
    if (positions.has(column)) duplicate = column;
    positions.set(column, position);
  }
  if (!REQUIRED.every((column) => positions.has(column))) return undefined;
  if (duplicate !== undefined) throw duplicateColumn(duplicate);
  const columns = COLUMNS.flatMap((column) => {
    const position = positions.get(column);
    return position === undefined ? [] : [[column, position] as const];
  });
  return { delimiter, width: record.length, columns };
}

function duplicateColumn(column: Column): LogExportError {
  return new LogExportError(
    'wrong-header',
    `The header of a file of the log export has the column ${column} more than once. Expected each column once.`,
  );
}

/** The error for a first record that is not a header. Shows only what may be names of columns. */
export function wrongHeader(record: readonly string[]): LogExportError {
  const found = new Set(record.map((name) => NAMES.get(normalisedName(name))));
  const missing = REQUIRED.filter((column) => !found.has(column));
  return new LogExportError(
    'wrong-header',
    `A file of the log export does not begin with a header that can be read: it lacks ${missing.join(', ')}. Found ${shownNames(record)}. Ask 8x8 whether the columns of the log export have changed.`,
  );
}

const MAX_NAMES = 50;

/** The names in a header. Nothing is shown of a record that is probably a row. */
function shownNames(record: readonly string[]): string {
  if (!record.some((name) => NAMES.has(normalisedName(name))) && !record.every(isName))
    return `${record.length === 1 ? '1 field' : `${record.length} fields`} that cannot be names`;
  const names = record.slice(0, MAX_NAMES).map((name) => (isName(name) ? printable(name.trim(), []) : '***'));
  return [...names, ...(record.length > MAX_NAMES ? ['...'] : [])].join(', ');
}

/** Letters, optionally in several words: neither a number nor an id nor a time. */
function isName(name: string): boolean {
  return /^\s*[a-z][a-z _-]{0,40}\s*$/i.test(name);
}
