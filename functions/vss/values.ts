import * as v from 'valibot';
import { isDouble } from './json.ts';

/** The kinds of values that a delivery has, from every form 8x8 has published them in to one. */

/** A text that DynamoDB can store: well-formed Unicode. */
export const text = v.pipe(
  v.string(),
  v.check((value) => value.isWellFormed()),
);

/** A number that a double holds, or the same number as text: error codes have been published as both. */
export const decimal = v.pipe(
  v.union([
    v.number(),
    v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?$/), v.check(isDouble), v.transform(Number)),
  ]),
  v.check((value) => Math.abs(value) <= Number.MAX_SAFE_INTEGER && (value === 0 || Math.abs(value) >= 1e-15)),
);

export const integer = v.pipe(decimal, v.integer());

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/i;

/** ISO 8601 with an offset; becomes UTC with milliseconds, which sorts as text. */
export const instant = v.pipe(
  v.string(),
  v.regex(INSTANT),
  v.check(existsOnCalendar),
  v.transform((value) => new Date(value).toISOString()),
  // A year outside 0000–9999, which an offset can lead to, has a sign and would not sort.
  v.check((value) => value.length === '2024-03-25T06:01:30.000Z'.length),
);

/** Date takes 30 February for 2 March. */
function existsOnCalendar(time: string): boolean {
  const midnight = new Date(`${time.slice(0, 10)}T00:00:00Z`);
  return midnight.getUTCDate() === Number(time.slice(8, 10)) && !Number.isNaN(Date.parse(time));
}

/** An open list: a known value in any published spelling becomes the canonical one, any other stays as it is. */
export function vocabulary(known: readonly string[], aliases: Readonly<Record<string, string>> = {}) {
  const canonical = new Map(
    [...known.map((value) => [value, value] as const), ...Object.entries(aliases)].map(
      ([spelling, value]) => [letters(spelling), value],
    ),
  );
  return v.pipe(
    text,
    v.transform((value) => canonical.get(letters(value)) ?? value),
  );
}

/** `NO ANSWER`, `no-answer` and `NO_ANSWER` have the same letters, so have `makeCall` and `MAKE_CALL`. */
function letters(value: string): string {
  return value.replace(/[\s_-]/g, '').toLowerCase();
}
