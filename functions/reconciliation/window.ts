import * as v from 'valibot';
import { addDays, daysBetween } from './day.ts';
import { type DayState, Mode } from './day-state.ts';

const Day = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\d$/, 'expected a day such as 2026-11-24'),
  // Date reads 30 February as 2 March.
  v.check((day) => addDays(day, 0) === day, 'expected a day of the calendar'),
);

export const MAX_WINDOW_DAYS = 366;

/** The days that `npm run reconcile` requests. */
export const Window = v.pipe(
  v.strictObject({
    /** The first and the last UTC day. */
    from: Day,
    to: Day,
    /** Default: all sub-accounts of the stage. */
    subAccountIds: v.optional(v.array(v.string())),
    /** Default: the mode of the stage. */
    mode: v.optional(Mode),
    /** Whether to record more missing sessions of a day than the limit. */
    beyondLimit: v.optional(v.boolean(), false),
    /** Days that were reconciled since this time are not reconciled again: ISO 8601, UTC. */
    notBefore: v.string(),
  }),
  v.check(({ from, to }) => from <= to, 'expected a first day that is not after the last'),
  v.check(
    ({ from, to }) => daysBetween(from, to).length <= MAX_WINDOW_DAYS,
    `expected at most ${MAX_WINDOW_DAYS} days`,
  ),
);
export type Window = v.InferOutput<typeof Window>;

/** Whether a day has been reconciled as requested. */
export function isAsRequested(
  { completed }: DayState,
  mode: Mode,
  { notBefore, beyondLimit }: Window,
): boolean {
  if (completed === undefined || completed.at < notBefore) return false;
  if (mode === 'record' && completed.mode === 'report') return false;
  return !(beyondLimit && completed.isHeld);
}
