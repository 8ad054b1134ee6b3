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

/** Why a delivery is not a valid summary. Contains nothing that was delivered. */
export interface Issue {
  /** Path from the root of the delivery; empty for the root itself. */
  path: string;
  message: string;
}

/** The outcome for a delivery that is not a summary. */
export type NoSummary = { outcome: 'unsupported-event' } | { outcome: 'invalid-summary'; issues: Issue[] };

/**
 * Identifies the session of a summary. This is all that is needed to accept a body, and takes a fraction of the time of
 * `readSummary`. Accepts and rejects exactly the bodies that `readSummary` does, for the same reasons.
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
 * A summary with every field and 26 legs, `callA` to `callZ`, has fewer than 700 keys. A body could contain tens of
 * thousands, which would take a tenth of a second to read.
 */
export const MAX_KEYS = 2_000;

/**
 * Parses a body as delivered: text, or bytes if they are not UTF-8. Undefined if it is not JSON, or has more than
 * `MAX_KEYS` keys. Unwraps a list of one event, and parses an event or a payload that is delivered as JSON text.
 */
export function parseBody(body: string | Uint8Array): Json | undefined {
  const parsed = parsedOrUndefined(body);
  const [only = null] = Array.isArray(parsed) && parsed.length === 1 ? parsed : [parsed];
  const event = parsed === undefined ? undefined : parsedIfText(only);
  return isJsonObject(event) ? withParsedPayload(event) : event;
}

function parsedOrUndefined(text: Json | Uint8Array): Json | undefined {
  try {
    return typeof text === 'string' ? parseJson(text, MAX_KEYS) : undefined;
  } catch {
    return undefined;
  }
}

/** Parses a text that contains a JSON object; returns any other value unchanged. */
function parsedIfText(value: Json): Json {
  const parsed = parsedOrUndefined(value);
  return isJsonObject(parsed) ? parsed : value;
}

function withParsedPayload(event: JsonObject): JsonObject {
  const key = spellings(KNOWN_FIELDS.event, event).get('payload');
  return key === undefined ? event : { ...event, [key]: parsedIfText(event[key] ?? null) };
}

/** Validates a delivery, parsed from JSON, with one of the schemas of a summary. Both have the same requirements. */
export function readEvent<const S extends typeof SummaryEvent | typeof IdentifyingEvent>(
  schema: S,
  delivered: Json,
): { outcome: 'event'; event: v.InferOutput<S> } | NoSummary {
  const parsed = v.safeParse(schema, delivered);
  if (parsed.success) return { outcome: 'event', event: parsed.output };
  // 8x8's legacy pages give the summary the name of another event, so do not discard what looks like a summary.
  if (v.is(OtherEvent, delivered) && !v.is(SummaryPayload, delivered))
    return { outcome: 'unsupported-event' };
  const paths = new Set(parsed.issues.map((issue) => v.getDotPath(issue) ?? ''));
  const unmet = [...REQUIREMENTS].filter(([path]) => paths.has(path));
  return { outcome: 'invalid-summary', issues: unmet.map(([path, message]) => ({ path, message })) };
}
