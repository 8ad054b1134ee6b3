import type { Incomplete } from '../duckdb/notice.ts';
import type { Scope } from './facts.ts';

/** In milliseconds. */
export const DAY = 86_400_000;

/** A time in the time zone of the report, such as `2026-11-21 02:00:00`. Texts of this form compare as the times do. */
export type LocalTime = string;

/** The local time of a time (ISO 8601). Swedish times are almost those of ISO 8601. */
export const localTime = (time: string, timeZone: string): LocalTime =>
  new Date(time).toLocaleString('sv', { timeZone });

export const midnight = (day: string): LocalTime => `${day} 00:00:00`;

export const isMidnight = (time: LocalTime) => time.endsWith(' 00:00:00');

/** The day that is a number of days after another: `2026-11-20`. */
export const daysAfter = (day: string, count: number) =>
  new Date(Date.parse(day) + count * DAY).toISOString().slice(0, 10);

/** What a report covers. */
export interface Period {
  /** The first day. Undefined: as far back as there is data. */
  from: string | undefined;
  /** The time before which its sessions start: that of the data, or the midnight after the last day asked for. */
  end: LocalTime;
  /** Whether the data ends before the last day that was asked for. */
  endsWithData: boolean;
  /** When data is missing. */
  gaps: readonly Gap[];
}

interface Gap {
  from: LocalTime;
  to: LocalTime;
}

/** @param time The point in time of the data (ISO 8601). */
export function periodOf(
  { from, to }: Pick<Scope, 'from' | 'to'>,
  time: string,
  timeZone: string,
  gaps: readonly Gap[] = [],
): Period {
  const known = localTime(time, timeZone);
  const asked = to === undefined ? known : midnight(daysAfter(to, 1));
  const endsWithData = known <= asked;
  return { from, end: endsWithData ? known : asked, endsWithData, gaps };
}

/** The last day of a period. A day that ends at the time of the data is its last one, whether it has begun or not. */
export const lastDay = ({ end }: Period) =>
  isMidnight(end) ? daysAfter(end.slice(0, 10), -1) : end.slice(0, 10);

/** The period before another. */
export interface Before {
  from: string;
  end: LocalTime;
}

/** The period of the same length before another, which ends at the same hour. Undefined without a first day. */
export function periodBefore(period: Period): Before | undefined {
  const { from, end } = period;
  if (from === undefined || from > lastDay(period)) return undefined;
  const count = Math.round((Date.parse(lastDay(period)) - Date.parse(from)) / DAY) + 1;
  return { from: daysAfter(from, -count), end: daysAfter(end.slice(0, 10), -count) + end.slice(10) };
}

/** When data is missing, in local time. */
export function gapsIn(incomplete: readonly Incomplete[], data: Incomplete['data'], timeZone: string): Gap[] {
  return incomplete
    .filter((each) => each.data === data && each.to !== undefined)
    .map(({ from, to = '' }) => ({
      from: from === undefined ? '' : localTime(from, timeZone),
      // A day is missing to its end.
      to: localTime(to.length === 10 ? daysAfter(to, 1) : to, timeZone),
    }));
}

/** Why the data of a part of a period is incomplete, as a clause; undefined if it is complete. */
export function lackIn({ from, end, endsWithData, gaps }: Period, part: string, next: string) {
  if (gaps.some((gap) => gap.from < midnight(next) && gap.to > midnight(part)))
    return 'data is missing, as stated above';
  if (midnight(next) > end)
    return endsWithData ? `the data ends at ${minutes(end)}` : `the report ends before ${end.slice(0, 10)}`;
  return from !== undefined && from > part ? `the report starts on ${from}` : undefined;
}

/** `2026-11-21 02:00`. */
export const minutes = (time: LocalTime) => time.slice(0, 16);

/** `2026-11-15 to 2026-11-20`, or `2026-11-15 to 2026-11-21 02:00` if the last day is partial. */
export function spanOf(first: string, end: LocalTime): string {
  const last = isMidnight(end) ? daysAfter(end.slice(0, 10), -1) : minutes(end);
  return first === last ? first : `${first} to ${last}`;
}
