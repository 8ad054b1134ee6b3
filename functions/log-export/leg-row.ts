import * as v from 'valibot';
import { FIELDS } from '../vss/payload.ts';
import { utcOf } from '../vss/values.ts';
import { canonicalId } from './canonical-id.ts';
import type { Column, Header } from './columns.ts';

type Identifying = 'SessionId' | 'CallId' | 'SubAccountId' | 'InitiatedAt';

/**
 * A call leg, by 8x8's column names, in the documented order. Ids, times and vocabularies are in canonical form, other
 * values as exported. A missing value has no key.
 */
export type LegRow = Record<Identifying, string> & Partial<Record<Exclude<Column, Identifying>, string>>;

/** What a row must be: of this sub-account, with all its times in this period (ISO 8601, UTC). */
export interface RowScope {
  subAccountId: string;
  from: string;
  to: string;
}

/** What a record of a file is. */
export type ReadRecord =
  /** `exportedId` is the session's id as exported; `unreadable` counts the values that no summary can have. */
  | { outcome: 'row'; row: LegRow; exportedId: string; unreadable: number }
  /** `sessionId` is that of the session whose leg this is; undefined if it cannot be told. */
  | { outcome: 'refused'; reason: string; sessionId: string | undefined };

/** Reads a record into the row of a leg. A reason never quotes the record. */
export function readLegRow(record: readonly string[], header: Header, scope: RowScope): ReadRecord {
  const exportedId = (record[header.sessionId] ?? '').trim();
  const sessionId = ID.read(exportedId);
  const refused = (reason: string): ReadRecord => ({ outcome: 'refused', reason, sessionId });
  const { length } = record;
  // Spreadsheets write a delimiter after the last value.
  if (length !== header.width && !(length === header.width + 1 && record.at(-1) === ''))
    return refused(`it has ${length} values; expected ${header.width}, as in the header`);

  const row: Partial<Record<Column, string>> = {};
  let unreadable = 0;
  for (const [column, position] of header.columns) {
    const value = (record[position] ?? '').trim();
    if (value.length < 5 && NOTHING.has(value.toLowerCase())) continue;
    if (value.length > MAX_LENGTH) return refused(`its ${column} has more than ${MAX_LENGTH} characters`);
    const kind = KINDS[column];
    const read = kind ? kind.read(value) : value;
    if (read === undefined) return refused(`its ${column} is not ${kind?.expected}`);
    if (read !== '') row[column] = read;
    if (RECORDED[column]?.test(value) === false || (read === '' && kind === STATUS)) unreadable++;
  }
  if (!isLegRow(row)) return refused(`it has no ${IDENTIFYING.find((column) => row[column] === undefined)}`);
  if (row.SubAccountId !== scope.subAccountId) return refused('its SubAccountId is not the one asked for');
  const { from, to } = scope;
  const outside = TIMES.find((column) => (row[column] ?? from) < from || (row[column] ?? to) > to);
  if (outside !== undefined) return refused(`its ${outside} is outside the requested period`);
  return { outcome: 'row', row, exportedId, unreadable };
}

const IDENTIFYING = ['SessionId', 'CallId', 'SubAccountId', 'InitiatedAt'] as const;
const TIMES = ['InitiatedAt', 'ConnectedAt', 'DisconnectedAt'] as const;

function isLegRow(row: Partial<Record<Column, string>>): row is LegRow {
  return IDENTIFYING.every((column) => row[column] !== undefined);
}

/** The spellings of nothing, in lower case. 8x8 documents none. */
const NOTHING = new Set(['', '-', 'null', 'none', 'n/a', 'nan', '\\n']);

/** Longer than any value that 8x8 documents. */
const MAX_LENGTH = 512;

/** How the values of a column are read. */
interface Kind {
  /** Returns undefined if a value cannot be read, and an empty text if it means that there is none. */
  read: (value: string) => string | undefined;
  expected: string;
}

/** As in a summary (functions/vss/payload.ts). */
const ID: Kind = {
  read: (value) => (/^[!-~]{1,128}$/.test(value) ? canonicalId(value) : undefined),
  expected: '1 to 128 printable ASCII characters',
};

/** Times by which 8x8 and others mean that there is none: the least and the greatest of .NET and SQL, and those near 1970. */
const NO_TIME = /^(?:0001|1[0-8]\d\d|1900|9999)-|^1969-12-31T23:59:59|^1970-01-01T00:00:00/;

const TIME: Kind = {
  read(value) {
    const utc = utcOf(value);
    return utc !== undefined && NO_TIME.test(utc) ? '' : utc;
  },
  expected: 'a time such as 2026-11-24T08:00:00Z',
};

/** A status that is too long for a summary is left out, so that the session counts as incomplete. */
const STATUS: Kind = {
  read(value) {
    if (value.length > MAX_STATUS_LENGTH) return '';
    return /^[a-z][\w -]*$/i.test(value) ? readStatus(value) : undefined;
  },
  expected: 'a status such as NO_ANSWER',
};
const MAX_STATUS_LENGTH = 128;
const readStatus = word(FIELDS.payload.sessionStatus);

/** As the view `call_charges` reads it (infra/analytics/charges). */
const PRICE: Kind = {
  read: (value) =>
    /^[+-]?(?:\d+\.?\d*|\.\d+|\d(?:\.\d{1,17})?e[+-]?0?\d)$/i.test(value) ? value : undefined,
  expected: 'a decimal such as 0.0125',
};

const CURRENCY: Kind = {
  read: (value) => (/^[a-z]{3}$/i.test(value) ? value : undefined),
  expected: 'a currency such as USD',
};

/** The columns of ids, times, statuses and money, of which a value that cannot be read refuses its row. */
const KINDS: Partial<Record<Column, Kind>> = {
  SessionId: ID,
  CallId: ID,
  InitiatedAt: TIME,
  ConnectedAt: TIME,
  DisconnectedAt: TIME,
  SessionStatus: STATUS,
  CallStatus: STATUS,
  Direction: { read: word(FIELDS.leg.callDirection), expected: 'a text' },
  CallType: { read: word(FIELDS.leg.callType), expected: 'a text' },
  UnitPrice: PRICE,
  TotalPriceOfCall: PRICE,
  UnitPriceCurrency: CURRENCY,
};

/**
 * A number, which may be masked, or the address or name of an endpoint. Spreadsheets write numbers as `6.59118E+09` and
 * `'+6591178965`, which is neither.
 */
const ENDPOINT = /^\+?[\d*#]+$|^[^\s"'=]+@[^\s"'=]+$|^[a-z][\w:.+-]*$/i;
const WHOLE_NUMBER = /^\d+(?:\.0+)?$/;

/** What the values of other columns look like. Others stay in the row, but no summary has them. */
const RECORDED: Partial<Record<Column, RegExp>> = {
  SourceEndpoint: ENDPOINT,
  DestinationEndpoint: ENDPOINT,
  DurationInSec: WHOLE_NUMBER,
  BillableDurationInSec: WHOLE_NUMBER,
  SipStatus: /^[1-6]\d\d$/,
  MOS: /^\d(?:\.\d+)?$/,
};

/** A value for a summary; undefined if it is missing, or cannot be read. */
export function recordable(row: LegRow, column: Column): string | undefined {
  const value = row[column];
  return value !== undefined && RECORDED[column]?.test(value) === false ? undefined : value;
}

/** Reads a value of a vocabulary as in a summary. */
function word(schema: v.GenericSchema<unknown, string | undefined>): (value: string) => string | undefined {
  return (value) => v.parse(schema, value);
}
