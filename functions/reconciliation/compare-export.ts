import type { Link } from '../log-export/download.ts';
import { readRows } from '../log-export/read-rows.ts';
import { chargesFile } from './charges-file.ts';
import { type Candidate, SessionComparison } from './compare-sessions.ts';
import type { Day } from './day.ts';
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
  download: (link: Link) => AsyncIterable<Uint8Array>;
  /** The sessions that wait in the dead-letter queue. */
  deadLetters: () => Promise<ReadonlySet<string>>;
}

/** The comparison of an export with the table. */
export interface ComparedExport {
  result: Result;
  /** The sessions that may have to be recorded. */
  candidates: Candidate[];
  /** The sessions whose rows were kept. If there are `limit`, there may be more candidates. */
  collected: string[];
}

/**
 * Reads all files of an export, compares the sessions with the table, and stores the rows of the day. Nothing is stored
 * unless all files have been read completely.
 *
 * @param limit The rows of at most so many sessions are kept.
 * @param skipped Sessions whose rows are not kept.
 */
export async function compareExport(
  { subAccountId, day, exportedAt, links }: ExportedDay,
  { objects, lookUp, download, deadLetters }: ExportDependencies,
  limit: number,
  skipped: ReadonlySet<string> = new Set(),
): Promise<ComparedExport> {
  const comparison = new SessionComparison({
    day,
    exportedAt: Date.parse(exportedAt),
    lookUp,
    limit,
    skipped,
  });
  const refused: Result['refused'] = [];
  let [rows, refusedRows] = [0, 0];
  const charges = chargesFile(objects, subAccountId, day);
  try {
    // readRows rejects an export without a header.
    for await (const read of links.length === 0 ? [] : readRows(links.map(download), subAccountId)) {
      if (read.outcome === 'refused') {
        refusedRows++;
        if (refused.length < MAX_REFUSED)
          refused.push({ file: read.file, row: read.row, reason: read.reason });
        continue;
      }
      rows++;
      await charges.add(read.row);
      await comparison.add(read.row);
    }
    const all = await comparison.finish();
    await charges.store();
    const { candidates, deadLettered } = await withoutDeadLetters(all, deadLetters);
    const { found } = comparison;
    const idsOf = (isMissing: boolean) =>
      candidates
        .filter(({ reconstructedDigest }) => (reconstructedDigest === undefined) === isMissing)
        .slice(0, MAX_LISTED)
        .map(({ sessionId }) => sessionId);
    return {
      result: {
        ...found,
        rows,
        refusedRows,
        deadLettered,
        missing: found.missing - deadLettered,
        recorded: 0,
        updated: 0,
        unusable: 0,
        refused,
        missingSessions: idsOf(true),
        reconstructedSessions: idsOf(false),
      },
      candidates,
      collected: comparison.collected,
    };
  } finally {
    charges.dispose();
  }
}

const MAX_REFUSED = 100;

/** Leaves out the sessions that 8x8 delivered and that wait in the dead-letter queue. */
async function withoutDeadLetters(
  candidates: Candidate[],
  deadLetters: () => Promise<ReadonlySet<string>>,
): Promise<{ candidates: Candidate[]; deadLettered: number }> {
  const isMissing = ({ reconstructedDigest }: Candidate) => reconstructedDigest === undefined;
  if (!candidates.some(isMissing)) return { candidates, deadLettered: 0 };
  const waiting = await deadLetters();
  const kept = candidates.filter((candidate) => !isMissing(candidate) || !waiting.has(candidate.sessionId));
  return { candidates: kept, deadLettered: candidates.length - kept.length };
}
