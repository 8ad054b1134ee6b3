import { COLUMNS, type Row } from './log-export-rows.ts';
import type { LogExportSwitches } from './log-export-switches.ts';

/** The text of a file, a row at a time, so that a file may be larger than memory. */
export function* csvOf(
  rows: Iterable<Row>,
  switches: LogExportSwitches,
  hasHeader: boolean,
): Generator<string> {
  const columns = columnsOf(switches);
  const lineOf = (values: readonly string[]) =>
    `${values.map(quoted).join()}${switches.crlf ? '\r\n' : '\n'}`;
  if (switches.bom) yield '\uFEFF';
  if (hasHeader) yield lineOf(columns.map((column) => NAMES[switches.headerCase](column)));
  for (let i = 0; i < switches.brokenRows; i++) yield lineOf([`broken-${i}`, 'x']);
  for (const { cells } of rows) yield lineOf(columns.map((column) => cells[column] || switches.null));
}

function columnsOf({ columnOrder, extraColumns, missingColumns }: LogExportSwitches): string[] {
  const columns = [...COLUMNS, ...extraColumns].filter((column) => !missingColumns.includes(column));
  return columnOrder === 'reversed' ? columns.reverse() : columns;
}

const NAMES: Readonly<Record<LogExportSwitches['headerCase'], (column: string) => string>> = {
  documented: (column) => column,
  lower: (column) => column.toLowerCase(),
  upper: (column) => column.toUpperCase(),
  snake: (column) => column.replaceAll(/([a-z])(?=[A-Z])/g, '$1_').toLowerCase(),
};

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
