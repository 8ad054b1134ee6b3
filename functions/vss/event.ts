import * as v from 'valibot';
import { type Json, parseJson } from './json.ts';
import { IdentifyingEvent, OtherEvent, REQUIREMENTS, type SummaryEvent } from './payload.ts';

/** Where a delivery is not a valid summary. Holds nothing of what was delivered. */
export interface Issue {
  /** Path from the root of the delivery; empty for the root itself. */
  path: string;
  message: string;
}

/** Why a delivery is no summary. */
export type NoSummary = { outcome: 'unsupported-event' } | { outcome: 'invalid-summary'; issues: Issue[] };

/**
 * Whose summary a body is: all that has to be known to accept it, for a fraction of the time of reading it. What is a
 * summary here is one for `readSummary` too, and what is none is none there for the same reason.
 */
export function identify(
  body: string | Uint8Array,
): { outcome: 'summary'; sessionId: string; subAccountId: string } | NoSummary | { outcome: 'invalid-json' } {
  const delivered = parseBody(body);
  if (delivered === undefined) return { outcome: 'invalid-json' };
  const read = readEvent(IdentifyingEvent, delivered);
  if (read.outcome !== 'event') return read;
  const { sessionId, subAccountId } = read.event.payload;
  return { outcome: 'summary', sessionId, subAccountId };
}

/**
 * A summary with every field and 26 legs, `callA` to `callZ`, has less than 700 keys. Tens of thousands, which fit into
 * a body, would take a tenth of a second.
 */
export const MAX_KEYS = 2_000;

/**
 * The JSON of a body as delivered, text or the bytes of what is no text in UTF-8; undefined if it is not JSON, or has
 * more than `MAX_KEYS` keys.
 */
export function parseBody(body: string | Uint8Array): Json | undefined {
  if (typeof body !== 'string') return undefined;
  try {
    return parseJson(body, MAX_KEYS);
  } catch {
    return undefined;
  }
}

/** Reads a delivery, parsed from JSON, as one of the schemas of a summary; both require the same of it. */
export function readEvent<const S extends typeof SummaryEvent | typeof IdentifyingEvent>(
  schema: S,
  delivered: Json,
): { outcome: 'event'; event: v.InferOutput<S> } | NoSummary {
  const parsed = v.safeParse(schema, delivered);
  if (parsed.success) return { outcome: 'event', event: parsed.output };
  if (v.is(OtherEvent, delivered)) return { outcome: 'unsupported-event' };
  const paths = new Set(parsed.issues.map((issue) => v.getDotPath(issue) ?? ''));
  const unmet = [...REQUIREMENTS].filter(([path]) => paths.has(path));
  return { outcome: 'invalid-summary', issues: unmet.map(([path, message]) => ({ path, message })) };
}
