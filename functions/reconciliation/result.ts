import * as v from 'valibot';

/** Absent in the state that an older release has saved. */
const Count = v.optional(v.number(), 0);

/** How the sessions and rows of one day of a sub-account compare with the table. */
export const Counts = v.object({
  /** The rows of the export that were read, and those that were refused, including the days before and after. */
  rows: Count,
  refusedRows: Count,
  /** The sessions of the export that started on the day. */
  sessions: Count,
  /** Those that have a record. */
  matched: Count,
  /** Of these, those whose record was reconstructed. */
  reconstructed: Count,
  /** Those without a record that are in progress, or ended so recently that their delivery may be on its way. */
  late: Count,
  /** Those without a record that ended before the retention period, so that it was deleted. */
  expired: Count,
  /** Those without a record that wait in the dead-letter queue. */
  deadLettered: Count,
  /** Those without a record, which no delivery brought. */
  missing: Count,
  /** Of the missing ones, those that were sent to the recorder. */
  recorded: Count,
  /** Reconstructions that were sent again, because the export has more legs of the session than before. */
  updated: Count,
  /** Of the missing ones, those of which no summary can be recorded: too many legs, or too large. */
  unusable: Count,
  /** Delivered sessions whose status in the table differs from that in the export. */
  differing: Count,
});
export type Counts = v.InferOutput<typeof Counts>;

/** The counts, and the first of the rows and sessions that need attention. */
export const Result = v.object({
  ...Counts.entries,
  refused: v.array(v.object({ file: v.number(), row: v.number(), reason: v.string() })),
  missingSessions: v.array(v.string()),
  reconstructedSessions: v.array(v.string()),
  differingSessions: v.array(v.object({ sessionId: v.string(), exported: v.string(), recorded: v.string() })),
});
export type Result = v.InferOutput<typeof Result>;

/** Lists are cut off after so many entries. */
export const MAX_LISTED = 1_000;

export function countsOf(result: Result): Counts {
  return v.parse(Counts, result);
}
