import * as v from 'valibot';
import { addDays, daysBetween, HOUR_MS } from './day.ts';
import type { DayState } from './day-states.ts';
import { isAtLeast } from './schedule.ts';

/** Whether missing sessions are recorded, or only reported. */
export const Mode = v.picklist(['record', 'report']);
export type Mode = v.InferOutput<typeof Mode>;

/**
 * The most missing sessions of a day that are recorded automatically. More are an outage, or a mistake, such as the key
 * of another account, which a person should look at first.
 */
export const LIMIT = 10_000;

const Day = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\d$/, 'expected a day such as 2026-11-24'),
  // Date reads 30 February as 2 March.
  v.check((day) => addDays(day, 0) === day, 'expected a day of the calendar'),
);

export const MAX_WINDOW_DAYS = 366;

/** The days of a sub-account that `npx vss-webhook reconcile` requests. */
export const Window = v.pipe(
  v.strictObject({
    subAccountId: v.string(),
    /** The first and the last UTC day. */
    from: Day,
    to: Day,
    /** Days of these that have ended earlier in the same command: they were reconciled, or have failed. */
    skipped: v.optional(v.array(Day), []),
    mode: Mode,
    /** Whether to record more missing sessions of a day than the limit. */
    beyondLimit: v.optional(v.boolean(), false),
    /** Whether to reconcile days again that were reconciled in the last `FRESH_HOURS` hours. */
    again: v.optional(v.boolean(), false),
  }),
  v.check(({ from, to }) => from <= to, 'expected a first day that is not after the last'),
  v.check(
    ({ from, to }) => daysBetween(from, to).length <= MAX_WINDOW_DAYS,
    `expected at most ${MAX_WINDOW_DAYS} days`,
  ),
);
export type Window = v.InferOutput<typeof Window>;

/** So that an interrupted command can be resumed. */
export const FRESH_HOURS = 12;

/** Whether a day was reconciled as requested in the last hours, and after its end. */
export function isFresh(
  day: string,
  { completed }: DayState,
  { mode, beyondLimit, again }: Window,
  now: number,
): boolean {
  if (again || completed === undefined || !isAtLeast(completed.mode, mode)) return false;
  if ((beyondLimit && completed.isHeld) || completed.at.slice(0, 10) <= day) return false;
  return now - Date.parse(completed.at) < FRESH_HOURS * HOUR_MS;
}
