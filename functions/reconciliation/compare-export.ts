import type { Link } from '../log-export/download.ts';
import type { LegRow } from '../log-export/leg-row.ts';
import { readRows } from '../log-export/read-rows.ts';
import { chargesFile } from './charges-file.ts';
import { type Candidate, type Part, SessionComparison } from './compare-sessions.ts';
import { DAY_MS, type Day, exportPeriod, LONGEST_CALL_MS } from './day.ts';
import type { Objects } from './objects.ts';
import type { RecordedSessions } from './recorded-sessions.ts';
import { MAX_LISTED, type Result } from './result.ts';

/** An export that 8x8 has made. */
export interface ExportedDay {
  subAccountId: string;
  day: Day;
  /** When the export was started: ISO 8601, UTC. */
  exportedAt: string;
  /** None if 8x8 has no rows. */
  links: readonly Link[];
}

export interface ExportDependencies {
  objects: Objects;
  lookUp: RecordedSessions;
  /** How long a record is kept after its last write, in days; undefined if forever. */
  retentionDays: number | undefined;
  download: (link: Link) => AsyncIterable<Uint8Array>;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The comparison of an export with the table. */
export interface ComparedExport {
  result: Result;
  /** The sessions to record. */
  candidates: Candidate[];
}

const MAX_REFUSED = 100;

/**
 * Reads all files of an export, compares the sessions of the day with the table, and stores the rows of the day. Nothing is
 * stored unless all files have been read completely.
 *
 * @param limit The most missing sessions whose rows are kept.
 */
export async function compareExport(
  { subAccountId, day, exportedAt, links }: ExportedDay,
  { objects, lookUp, retentionDays, download, now }: ExportDependencies,
  deadLetters: ReadonlySet<string>,
  limit: number,
  part: Part = { index: 0, of: 1 },
): Promise<ComparedExport> {
  const comparison = new SessionComparison({
    day,
    exportedAt: Date.parse(exportedAt),
    now: now(),
    retentionMs: retentionDays === undefined ? undefined : retentionDays * DAY_MS,
    lookUp,
    deadLetters,
    limit,
    part,
  });
  const refused: Result['refused'] = [];
  let [rows, refusedRows] = [0, 0];
  const charges = chargesFile(objects, subAccountId, day);
  try {
    const files = links.map(download);
    // readRows rejects an export without a header.
    for await (const read of files.length === 0 ? [] : readRows(files, subAccountId, outsideOf(day, now()))) {
      if (read.outcome === 'refused') {
        refusedRows++;
        const { file, row, reason } = read;
        if (refused.length < MAX_REFUSED) refused.push({ file, row, reason });
        continue;
      }
      rows++;
      await charges.add(read.row);
      await comparison.add(read.row);
    }
    const candidates = await comparison.finish();
    await charges.store();
    const missing = candidates.filter(({ isMissing }) => isMissing).map(({ sessionId }) => sessionId);
    const result = {
      ...comparison.found,
      rows,
      refusedRows,
      recorded: 0,
      updated: 0,
      unusable: 0,
      refused,
      missingSessions: missing.slice(0, MAX_LISTED),
    };
    return { result, candidates };
  } finally {
    await charges.dispose();
  }
}

/** Refuses rows far outside of the period that was asked for: in a wrong year, their session would belong to no day. */
function outsideOf(day: Day, now: number): (row: LegRow) => string | undefined {
  const { from, to } = exportPeriod(day, now);
  const [least, greatest] = [from.getTime() - LONGEST_CALL_MS, to.getTime() + LONGEST_CALL_MS].map((time) =>
    new Date(time).toISOString(),
  );
  return ({ InitiatedAt }) =>
    InitiatedAt < `${least}` || InitiatedAt > `${greatest}`
      ? 'its time is outside of the period that was asked for'
      : undefined;
}
