import * as v from 'valibot';

/** What an export contains. */
export interface Range {
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

const DAY = 86_400_000;

/** A date, or a date and a time with or without a zone. Without one, it is in UTC. */
const Time = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/),
  v.transform((time) => Date.parse(/T[^Z+-]*$/.test(time) ? `${time}Z` : time)),
  v.number(),
);

const Body = v.pipe(
  v.string(),
  v.transform((body) => body || '{}'),
  v.parseJson(),
  v.object({ from: v.optional(Time), to: v.optional(Time), limit: v.optional(v.literal(0)) }),
);

/** Reads the body of a request for an export, without a limit of rows; undefined if it is invalid. By default, the range is the last week. */
export function readRange(body: string, now: number): Range | undefined {
  const parsed = v.safeParse(Body, body);
  if (!parsed.success) return undefined;
  const today = Math.floor(now / DAY) * DAY;
  const { from = today - 7 * DAY, to = today } = parsed.output;
  return from < to ? { from, to } : undefined;
}
