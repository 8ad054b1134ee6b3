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
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const utc = toUtc(value);
    if (utc !== undefined) return utc;
    addIssue();
    return NEVER;
  }),
);

function toUtc(time: string): string | undefined {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return undefined;
  const utc = date.toISOString();
  // Date takes 30 February for 2 March. The same day in UTC is on the calendar; another one is looked up.
  const day = time.slice(0, 10);
  if (!utc.startsWith(day) && !new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) return undefined;
  // A year outside 0000–9999, which an offset can lead to, has a sign and would not sort.
  return utc.length === '2024-03-25T06:01:30.000Z'.length ? utc : undefined;
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
