import { UsageError } from './command.ts';
import { dayOption } from './day-option.ts';

/** Parses the options --from and --to, the first and the last day, which may be relative to today. @throws UsageError */
export function dayRange(
  values: { from?: string | undefined; to?: string | undefined },
  timeZone = 'UTC',
): { from: string | undefined; to: string | undefined } {
  const [from, to] = [dayOption('from', values.from, { timeZone }), dayOption('to', values.to, { timeZone })];
  if (from !== undefined && to !== undefined && from > to)
    throw new UsageError(`--from ${from} is after --to ${to}.`);
  return { from, to };
}

/** Parses a time. @returns ISO 8601, UTC, with milliseconds. @throws UsageError */
export function timeInUtc(option: string, text: string): string {
  if (isTime(text)) return new Date(text).toISOString();
  throw new UsageError(`Invalid --${option} "${text}": expected a time in UTC such as 2026-11-01T02:00:00Z`);
}

function isTime(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse accepts days such as 30 February.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 10));
}
