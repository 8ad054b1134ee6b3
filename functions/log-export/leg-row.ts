import * as v from 'valibot';
import { FIELDS } from '../vss/payload.ts';
import { utcOf } from '../vss/values.ts';
import type { Column, Header } from './columns.ts';

type Identifying = 'SessionId' | 'CallId' | 'InitiatedAt';

/** A call leg, by 8x8's column names, in the documented order. A missing value has no key. */
export type LegRow = Record<Identifying, string> & Partial<Record<Exclude<Column, Identifying>, string>>;

/** What a record of a file is. */
export type ReadRecord = { outcome: 'row'; row: LegRow } | { outcome: 'refused'; reason: string };

/** Reads a record into the row of a leg. A reason never quotes the record. */
export function readLegRow(record: readonly string[], header: Header, subAccountId: string): ReadRecord {
  if (record.length !== header.width)
    return refused(`it has ${record.length} fields; expected ${header.width}, as in the header`);
  const long = header.columns.find(([, position]) => (record[position] ?? '').length > MAX_LENGTH);
  if (long) return refused(`its ${long[0]} has more than ${MAX_LENGTH} characters`);
  const row: Partial<Record<Column, string>> = {};
  for (const [column, position] of header.columns) {
    const value = readValue(record[position] ?? '', column);
    if (value !== undefined) row[column] = value;
    // Holds its place among the keys.
    else if (column === 'InitiatedAt') row.InitiatedAt = '';
  }
  row.InitiatedAt ||= row.ConnectedAt ?? row.DisconnectedAt ?? '';
  const reason = reasonToRefuse(row, subAccountId);
  if (reason !== undefined) return refused(reason);
  return isLegRow(row) ? { outcome: 'row', row } : refused('it does not identify a leg');
}

function refused(reason: string): ReadRecord {
  return { outcome: 'refused', reason };
}

function isLegRow(row: Partial<Record<Column, string>>): row is LegRow {
  return row.SessionId !== undefined && row.CallId !== undefined && row.InitiatedAt !== undefined;
}

function reasonToRefuse(row: Partial<Record<Column, string>>, subAccountId: string): string | undefined {
  for (const column of ['SessionId', 'CallId'] as const) {
    if (row[column] === undefined) return `it has no ${column}`;
    if (!ID.test(row[column])) return `its ${column} is not 1 to 128 printable ASCII characters`;
  }
  if ((row.SubAccountId ?? subAccountId) !== subAccountId) return 'its SubAccountId is not the one asked for';
  return row.InitiatedAt === '' ? 'it has no time that can be read' : undefined;
}

/** As in a summary (functions/vss/payload.ts). */
const ID = /^[!-~]{1,128}$/;

/** The spellings of nothing, in lower case. 8x8 documents none. */
const NOTHING = new Set(['', '-', 'null', 'none', 'n/a', 'nan', '\\n']);

/** Longer than any value that 8x8 documents. */
const MAX_LENGTH = 512;

function readValue(text: string, column: Column): string | undefined {
  const value = text.trim();
  if (value.length < 5 && NOTHING.has(value.toLowerCase())) return undefined;
  const read = READERS[column];
  return read ? read(value) : value;
}

/** The columns whose values have one spelling each. */
const READERS: Partial<Record<Column, (value: string) => string | undefined>> = {
  InitiatedAt: timeOf,
  ConnectedAt: timeOf,
  DisconnectedAt: timeOf,
  Direction: word(FIELDS.leg.callDirection),
  CallType: word(FIELDS.leg.callType),
  SessionStatus: word(FIELDS.payload.sessionStatus),
  CallStatus: word(FIELDS.leg.callStatus),
};

/** Times by which 8x8 and others mean that there is none: the least and the greatest of .NET and SQL, and those near 1970. */
const NO_TIME = /^(?:0001|1[0-8]\d\d|1900|9999)-|^1969-12-31T23:59:59|^1970-01-01T00:00:00/;

function timeOf(value: string): string | undefined {
  const utc = utcOf(value);
  return utc === undefined || NO_TIME.test(utc) ? undefined : utc;
}

const MAX_WORDS = 100;

/** Reads a value of a vocabulary as in a summary. There are few values, so each is read once. */
function word(schema: v.GenericSchema<unknown, string | undefined>): (value: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (value) => {
    if (!known.has(value)) {
      if (known.size === MAX_WORDS) known.clear();
      known.set(value, v.parse(schema, value));
    }
    return known.get(value);
  };
}
