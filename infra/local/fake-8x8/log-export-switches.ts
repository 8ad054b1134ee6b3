import * as v from 'valibot';

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Controls the simulated log export. */
export const LogExportSwitches = v.strictObject({
  /** How many polls of a job answer `queued` (the first) or `running` before it is done. */
  polls: v.optional(Count, 1),
  /** How many files an export has. The rows are dealt out, so that the rows of a session are in several files. */
  links: v.optional(v.pipe(Count, v.minValue(1)), 1),
  /** Which files have a header. */
  headers: v.optional(v.picklist(['every', 'first']), 'every'),
  rowsShuffled: v.optional(v.boolean(), false),
  /** The currencies of the prices. */
  currencies: v.optional(v.pipe(v.array(v.string()), v.minLength(1)), ['USD']),
  /** Replaces every file by this text. */
  content: v.optional(v.string()),
  /** How many bytes a download has before its connection is closed, and for how many of the next downloads. */
  cut: v.optional(v.strictObject({ after: Count, downloads: v.optional(Count, Number.MAX_SAFE_INTEGER) })),
});
export type LogExportSwitches = v.InferOutput<typeof LogExportSwitches>;
