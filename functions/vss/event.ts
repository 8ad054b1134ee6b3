import * as v from 'valibot';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { parseJson } from './parse-json.ts';
import {
  IdentifyingEvent,
  KNOWN_FIELDS,
  OtherEvent,
  REQUIREMENTS,
  type SummaryEvent,
  SummaryPayload,
  spellings,
} from './payload.ts';

/** Where a delivery is not a valid summary. Holds nothing of what was delivered. */
export interface Issue {
  /** Path from the root of the delivery; empty for the root itself. */
  path: string;
  message: string;
}

/** Why a delivery is no summary. */
export type NoSummary = { outcome: 'unsupported-event' } | { outcome: 'invalid-summary'; issues: Issue[] };

/**
 * Identifies the session of a summary: all that is needed to accept a body, in a fraction of the time of reading it.
 * Accepts and rejects exactly the bodies that `readSummary` does, for the same reasons.
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
 * Parses a body as delivered: text, or the bytes of what is no text in UTF-8. Undefined if it is not JSON, or has more
 * than `MAX_KEYS` keys. A list of one event is that event; an event or a payload given as JSON text is what it says.
 */
export function parseBody(body: string | Uint8Array): Json | undefined {
  const parsed = parsedOrUndefined(body);
  const [only = null] = Array.isArray(parsed) && parsed.length === 1 ? parsed : [parsed];
  const event = parsed === undefined ? undefined : fromText(only);
  return isJsonObject(event) ? withParsedPayload(event) : event;
}

function parsedOrUndefined(text: Json | Uint8Array): Json | undefined {
  try {
    return typeof text === 'string' ? parseJson(text, MAX_KEYS) : undefined;
  } catch {
    return undefined;
  }
}

/** The object that a text holds as JSON; any other value is what it is. */
function fromText(value: Json): Json {
  const parsed = parsedOrUndefined(value);
  return isJsonObject(parsed) ? parsed : value;
}

function withParsedPayload(event: JsonObject): JsonObject {
  const key = spellings(KNOWN_FIELDS.event, event).get('payload');
  return key === undefined ? event : { ...event, [key]: fromText(event[key] ?? null) };
}

/** Reads a delivery, parsed from JSON, as one of the schemas of a summary; both require the same of it. */
export function readEvent<const S extends typeof SummaryEvent | typeof IdentifyingEvent>(
  schema: S,
  delivered: Json,
): { outcome: 'event'; event: v.InferOutput<S> } | NoSummary {
  const parsed = v.safeParse(schema, delivered);
  if (parsed.success) return { outcome: 'event', event: parsed.output };
  // Legacy pages of 8x8 give the summary the name of another event: one that looks like a summary is kept.
  if (v.is(OtherEvent, delivered) && !v.is(SummaryPayload, delivered))
    return { outcome: 'unsupported-event' };
  const paths = new Set(parsed.issues.map((issue) => v.getDotPath(issue) ?? ''));
  const unmet = [...REQUIREMENTS].filter(([path]) => paths.has(path));
  return { outcome: 'invalid-summary', issues: unmet.map(([path, message]) => ({ path, message })) };
}
