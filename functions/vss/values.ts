import * as v from 'valibot';
import { isDouble, type Json } from './json.ts';

/** The types of values in a delivery. Each schema converts all forms that 8x8 has published to one. */

/** Text that DynamoDB can store: well-formed Unicode. */
export const text = v.pipe(
  v.string(),
  v.check((value) => value.isWellFormed()),
);

/** A number that a double represents exactly, or its text: 8x8 has published error codes as both. */
export const decimal = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.check(isDecimal), v.transform(Number))]),
  v.check((value) => Math.abs(value) <= Number.MAX_SAFE_INTEGER && (value === 0 || Math.abs(value) >= 1e-15)),
);

/** Whether a text is a decimal number that a double represents exactly. */
export function isDecimal(value: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(value) && isDouble(value);
}

export const integer = v.pipe(decimal, v.integer());

/** A time in any form that `utcOf` reads, converted to UTC with milliseconds, which sorts as text. */
export const instant = v.pipe(v.union([v.string(), v.number()]), v.transform(utcOf), v.string());

/** ISO 8601, also with a space instead of T, a comma before the fraction, without seconds or without an offset. */
const ISO =
  /^\s*(?<date>\d{4}-\d\d-\d\d)[T ](?<minute>\d\d:\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?\s?(?:Z|UTC|GMT|(?<hours>[+-]\d\d)(?::?(?<minutes>\d\d))?)?\s*$/i;

/** Since 1970, from September 2001 to November 2286: seconds, optionally with a fraction, or milliseconds. */
const EPOCH_SECONDS = /^(?<seconds>\d{10})(?:\.(?<decimals>\d+))?$/;
const EPOCH_MILLISECONDS = /^\d{13}$/;

/** Longer than any supported form. */
const MAX_LENGTH = 64;

/**
 * Converts a time to UTC with milliseconds; undefined if the value is not a time. A time without an offset is read as
 * UTC, because all times that 8x8 has published for Voice are UTC.
 */
export function utcOf(value: string | number): string | undefined {
  const text = String(value);
  if (text.length > MAX_LENGTH) return undefined;
  const { date, minute, second = '00', fraction = '', hours, minutes = '00' } = ISO.exec(text)?.groups ?? {};
  if (date !== undefined) {
    const offset = hours === undefined ? 'Z' : `${hours}:${minutes}`;
    // V8 ignores all digits of a fraction after the third.
    return toUtc(date, `${date}T${minute}:${second}.${fraction.padEnd(3, '0')}${offset}`);
  }
  const { seconds, decimals = '' } = EPOCH_SECONDS.exec(text)?.groups ?? {};
  if (seconds !== undefined)
    return new Date(Number(seconds + decimals.slice(0, 3).padEnd(3, '0'))).toISOString();
  return EPOCH_MILLISECONDS.test(text) ? new Date(Number(text)).toISOString() : undefined;
}

/** Whether a time has non-zero digits after its milliseconds, which `utcOf` truncates. */
export function isFinerThanMilliseconds(time: Json): boolean {
  return /[.,]\d{3}\d*[1-9]/.test(String(time));
}

function toUtc(day: string, time: string): string | undefined {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return undefined;
  const utc = date.toISOString();
  // Date reads 30 February as 2 March.
  if (!utc.startsWith(day) && !new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) return undefined;
  // With its offset, a time may be in a year outside 0000–9999, which is written with a sign and would not sort.
  return utc.length === '2024-03-25T06:01:30.000Z'.length ? utc : undefined;
}

/** An open vocabulary: converts all published spellings of a known value to one; other values are unchanged. */
export function vocabulary(known: readonly string[]) {
  const canonical = new Map(known.map((value) => [normaliseWord(value), value]));
  return v.pipe(
    text,
    v.transform((value) => canonical.get(normaliseWord(value)) ?? value),
  );
}

/**
 * Removes the differences between published spellings: `NO ANSWER`, `no-answer` and `NO_ANSWER`, `makeCall` and
 * `MAKE_CALL`, `CANCELLED` and `CANCELED`.
 */
export function normaliseWord(value: string): string {
  const joined = value.replace(/[\s_-]/g, '').toLowerCase();
  return joined === 'cancelled' ? 'canceled' : joined;
}
