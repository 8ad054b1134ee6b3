import { numberOf } from './charges.ts';
import type { Range } from './log-export-range.ts';
import { type Row, rowsOf } from './log-export-rows.ts';
import type { LogExportSwitches } from './log-export-switches.ts';
import type { Sessions } from './sessions.ts';

/** What determines the rows of an export. */
export interface Selection {
  subAccountId: string;
  range: Range;
  /** When the export was started, in milliseconds since 1970. It does not contain later sessions. */
  startedAt: number;
}

/** Generates the rows of an export. Holds all of them in memory only if they are shuffled. */
export function exportedRows(
  sessions: Sessions,
  selection: Selection,
  switches: LogExportSwitches,
): IteratorObject<Row> {
  const { limit } = selection.range;
  const rows = selectedRows(sessions, selection, switches);
  const ordered = switches.rowsShuffled ? shuffled(rows).values() : rows;
  return limit === 0 ? ordered : ordered.take(limit);
}

function* selectedRows(
  sessions: Sessions,
  { subAccountId, range: { from, to }, startedAt }: Selection,
  { currencies }: LogExportSwitches,
): Generator<Row> {
  for (const session of sessions.of(subAccountId, startedAt))
    for (const row of rowsOf(session, currencies)) if (row.initiated >= from && row.initiated < to) yield row;
}

/** An order that has nothing to do with that of the rows, but is always the same. */
function shuffled(rows: Iterable<Row>): Row[] {
  const keyed = Array.from(rows, (row) => ({ row, key: numberOf(Object.values(row.cells).join()) }));
  return keyed.sort((a, b) => a.key - b.key).map(({ row }) => row);
}
