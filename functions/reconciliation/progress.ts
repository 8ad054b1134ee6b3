import * as v from 'valibot';
import { Counts, Result } from './result.ts';

/** How far the reconciliation of a day of a sub-account is. */
export const DayProgress = v.object({
  subAccountId: v.string(),
  day: v.string(),
  /**
   * `waiting`: invoke again, for the reason in `detail`. `held`: more sessions are missing than are recorded without
   * being told. `failed`: for the reason in `detail`.
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
