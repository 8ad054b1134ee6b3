import * as v from 'valibot';

/** Absent in what an older release has stored. */
const Count = v.optional(v.number(), 0);
const Sessions = v.optional(v.array(v.string()), []);

/** How the sessions and rows of one day of a sub-account compare with the table. */
export const Result = v.object({
  /** The rows of the export that were read, and those that were refused, including the days before and after. */
  rows: Count,
  refusedRows: Count,
  /** Values of the rows that were left out of what is recorded, because they cannot be read. */
  unreadableValues: Count,
  /** Rows that were stored for the day before and are missing now: the stored ones were kept. */
  keptRows: Count,
  /** The sessions of the export that started on the day. */
  sessions: Count,
  /** Those that have a record. */
  matched: Count,
  /** Of these, those whose record was reconstructed. */
  reconstructed: Count,
  /** Those that have a record of another sub-account. */
  foreign: Count,
  /** Those without a record that are in progress, or ended so recently that their delivery may be on its way. */
  late: Count,
  /** Those without a record that ended before the retention period, so that it was deleted. */
  expired: Count,
  /** Those without a record that wait in the dead-letter queue. */
  deadLettered: Count,
  /** Those that were erased. Their rows are not stored. */
  erased: Count,
  /** Those without a record that 8x8 never delivered. */
  missing: Count,
  /** Of the missing ones, those that were sent to the recorder. */
  recorded: Count,
  /** Reconstructions that were sent again, because the export differs from what was recorded. */
  updated: Count,
  /** Reconstructions that were kept, although the export differs, because it has fewer calls than they have. */
  fewerCalls: Count,
  /** Reconstructions that were not compared with the export, because there were too many for one run. */
  unchecked: Count,
  /** Of what was sent, sessions without a status or an end. */
  incomplete: Count,
  /** Sessions that were not sent because one of their rows was refused. */
  withRefusedRows: Count,
  /** Sessions that were not sent because no summary can be recorded: too many legs, or too large. */
  unusable: Count,
  /** Delivered sessions whose status in the table differs from that in the export. */
  differing: Count,
  /** The first of the rows and sessions that need attention. */
  refused: v.array(v.object({ file: v.number(), row: v.number(), reason: v.string() })),
  missingSessions: Sessions,
  reconstructedSessions: Sessions,
  foreignSessions: Sessions,
  withRefusedRowsSessions: Sessions,
  differingSessions: v.array(v.object({ sessionId: v.string(), exported: v.string(), recorded: v.string() })),
});
export type Result = v.InferOutput<typeof Result>;

export const NO_RESULT: Result = v.parse(Result, { refused: [], differingSessions: [] });

/** The number of entries in each list: in the bucket, and in a response of the function, which Lambda limits to 6 MB. */
const MAX_LISTED = 1_000;
const MAX_RETURNED = 20;

/** Adds an entry to a list that is not full. */
export function list<T>(entries: T[], entry: T): void {
  if (entries.length < MAX_LISTED) entries.push(entry);
}

export function shortened(result: Result): Result {
  const lists = Object.entries(result).filter(([, value]) => Array.isArray(value));
  const short = lists.map(([name, value]) => [name, Object(value).slice(0, MAX_RETURNED)]);
  return v.parse(Result, { ...result, ...Object.fromEntries(short) });
}

/** The progress of the reconciliation of a day of a sub-account. */
export const DayProgress = v.object({
  subAccountId: v.string(),
  day: v.string(),
  /** `waiting`: invoke again. `held`: a person has to decide. The reason for all but `done` is in `detail`. */
  state: v.picklist(['done', 'held', 'waiting', 'failed']),
  detail: v.optional(v.string()),
  /** What was found when the day was last reconciled. */
  result: v.optional(Result),
});
export type DayProgress = v.InferOutput<typeof DayProgress>;
