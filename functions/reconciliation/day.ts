/** A UTC day, such as `2026-11-24`. */
export type Day = string;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** The UTC day of a time in ISO 8601, UTC, or in milliseconds since 1970. */
export function dayOf(time: string | number): Day {
  return (typeof time === 'string' ? time : new Date(time).toISOString()).slice(0, 10);
}

/** The start of a day, in milliseconds since 1970. */
export function startOf(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** @returns An empty text if the day is not one of the calendar. */
export function addDays(day: Day, count: number): Day {
  const time = startOf(day) + count * DAY_MS;
  return Number.isNaN(time) ? '' : dayOf(time);
}

/** The days from one to another, both included. */
export function daysBetween(from: Day, to: Day): Day[] {
  const count = Math.round((startOf(to) - startOf(from)) / DAY_MS) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, i) => addDays(from, i));
}

/** A call may be in progress for this long. */
export const LONGEST_CALL_MS = DAY_MS;

/**
 * A session may have legs in the next day, 8x8 does not document whether it selects by the start or the end of a call,
 * and times without an offset, which are read as UTC, may be those of another time zone.
 */
const MARGIN_MS = DAY_MS;

/** The period to request: the day, and a day before and after it. */
export function exportPeriod(day: Day, now: number): { from: Date; to: Date } {
  const to = Math.min(startOf(addDays(day, 1)) + MARGIN_MS, now);
  return { from: new Date(startOf(day) - MARGIN_MS), to: new Date(to) };
}

/** The period in which the times of its rows are: in a wrong year, their session would belong to no day. */
export function plausiblePeriod(day: Day, now: number): { from: string; to: string } {
  const { from, to } = exportPeriod(day, now);
  const [first, last] = [from.getTime() - LONGEST_CALL_MS, to.getTime() + LONGEST_CALL_MS];
  return { from: new Date(first).toISOString(), to: new Date(last).toISOString() };
}
