import * as v from 'valibot';
import { Counts, Result } from './result.ts';

/** The progress of the reconciliation of a day of a sub-account. */
export const DayProgress = v.object({
  subAccountId: v.string(),
  day: v.string(),
  /**
   * `waiting`: invoke again. `held`: more sessions are missing than are recorded automatically. The reason for `waiting`
   * and `failed` is in `detail`.
   */
  state: v.picklist(['done', 'held', 'waiting', 'failed']),
  detail: v.optional(v.string()),
  /** The last time that the day was reconciled, and what was found. */
  completedAt: v.optional(v.string()),
  counts: v.optional(Counts),
  /** What was found, if the day was reconciled in this invocation. */
  result: v.optional(Result),
});
export type DayProgress = v.InferOutput<typeof DayProgress>;
