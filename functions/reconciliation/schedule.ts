import { addDays, type Day, dayOf, daysBetween, HOUR_MS, startOf } from './day.ts';
import type { DayState } from './day-states.ts';
import type { Mode } from './window.ts';

/**
 * A day is reconciled this many days later, at this hour (UTC), and again: 8x8 does not document how late a call may
 * appear in its log export.
 */
const RUNS_AFTER_DAYS = [1, 3, 7] as const;
const HOUR = 6;

/** A day that fails in its last run is retried until it is this old. Until then, a held day is measured. */
export const MAX_AGE_DAYS = 9;

/** A day that is due for longer is overdue. */
const OVERDUE_HOURS = 24;

/**
 * The days that the schedule reconciles: those that began after the sub-account was first seen. Before, its webhook may
 * not have been registered, so that all its sessions would be missing.
 */
export function scheduledDays(since: string, now: number): Day[] {
  const first = addDays(dayOf(since), 1);
  const oldest = addDays(dayOf(now), -MAX_AGE_DAYS);
  return daysBetween(first > oldest ? first : oldest, addDays(dayOf(now), -1));
}

/** When the run was due that a day has not had; undefined if it has had all runs until now. */
export function dueSince(day: Day, { completed }: DayState, mode: Mode, now: number): number | undefined {
  const done = completed && isAtLeast(completed.mode, mode) ? Date.parse(completed.at) : 0;
  return RUNS_AFTER_DAYS.map((days) => startOf(addDays(day, days)) + HOUR * HOUR_MS).find(
    (due) => due <= now && due > done,
  );
}

/** Whether a run in one mode has done what a run in another does: a report records nothing. */
export function isAtLeast(mode: Mode, required: Mode): boolean {
  return mode === 'record' || required === 'report';
}

export function isOverdue(day: Day, state: DayState, mode: Mode, now: number): boolean {
  const since = dueSince(day, state, mode, now);
  return since !== undefined && now - since > OVERDUE_HOURS * HOUR_MS;
}

/** The number of attempts in one invocation, if the fault is transient. */
export const IMMEDIATE_ATTEMPTS = 3;

const LONGEST_BACKOFF_HOURS = 12;

/**
 * When to retry after a number of consecutive failures: after the immediate attempts in an hour, then after twice as long
 * each time.
 */
export function retryAt(failures: number, now: number): string {
  const hours = Math.min(2 ** Math.max(failures - IMMEDIATE_ATTEMPTS, 0), LONGEST_BACKOFF_HOURS);
  // The schedule may invoke a few seconds early.
  return new Date(now + (hours - 0.5) * HOUR_MS).toISOString();
}
