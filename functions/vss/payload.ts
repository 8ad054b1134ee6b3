import * as v from 'valibot';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { decimal, instant, integer, text, vocabulary } from './values.ts';

/**
 * The wire format of a Voice Session Summary, as 8x8 publishes it for IVR, Voice Messaging and Number Masking: one
 * shape with different optional fields. The fields that identify a session are required. A value of any other field
 * that does not match its type is read as absent, and the caller keeps it verbatim (`summary.ts`).
 *
 * @see https://developer.8x8.com/connect/docs/voice/webhook-guides/voice-session-summary-webhook
 */

/** The session statuses that 8x8 documents; the last three are specific to Voice Messaging. */
export const STATUSES = [
  'COMPLETED',
  'NO_ANSWER',
  'BUSY',
  'CANCELED',
  'FAILED',
  'ERROR',
  'COMPLETED_UNSUBSCRIBED',
  'COMPLETED_UNSUB_ERROR',
  'UNSUBSCRIBED_CONTACT',
] as const;

const status = vocabulary(STATUSES);

const action = vocabulary(['MAKE_CALL', 'HANGUP', 'SAY', 'SAY_AND_CAPTURE', 'PLAY_FILE', 'PLAY_TTS']);

/** 8x8's other Voice webhooks, which may use the same URL. */
const OTHER_EVENTS = [
  'CALL_ACTION',
  'CALL_STATUS',
  'CALL_RECORDING_STATUS',
  'VIRTUAL_NUMBER_UPDATE',
] as const;

const eventType = vocabulary(['SESSION_SUMMARY', ...OTHER_EVENTS]);

/** Makes a field optional, and absent if its value does not match. */
function tolerated<const S extends v.GenericSchema>(schema: S) {
  return v.fallback(v.optional(schema), undefined);
}

/** An object with known fields, whose names may be in any case. */
function fields<const E extends v.ObjectEntries>(entries: E) {
  const names = namesOf(entries);
  return v.pipe(
    v.custom<JsonObject>(isJsonObject),
    v.transform((object): unknown => {
      const found: Record<string, unknown> = {};
      for (const [name, key] of spellings(names, object)) found[name] = object[key];
      return found;
    }),
    v.object(entries),
  );
}

/** Maps the documented names of an object's fields, and their lower-case forms, to the documented names. */
export type Names = ReadonlyMap<string, string>;

function namesOf(entries: v.ObjectEntries): Names {
  return new Map(
    Object.keys(entries).flatMap((name) => [
      [name, name],
      [name.toLowerCase(), name],
    ]),
  );
}

/** The documented name of the field that has this key; undefined if it is unknown. */
export function nameOf(names: Names, key: string): string | undefined {
  return names.get(key) ?? names.get(key.toLowerCase());
}

/**
 * Maps each known field to the key under which it was delivered: 8x8 has published `SourceRefId` for `sourceRefId`.
 * Prefers the documented spelling, then the alphabetically first. Ignores fields without a value.
 */
export function spellings(names: Names, object: JsonObject): Map<string, string> {
  const found = new Map<string, string>();
  for (const key in object) {
    const name = nameOf(names, key);
    if (name === undefined || isAbsent(name, object[key] ?? null)) continue;
    const other = found.get(name);
    if (other === undefined || key === name || (other !== name && key < other)) found.set(name, key);
  }
  return found;
}

/** Whether a known field has no value, and so counts as not delivered. So does an object with only such fields. */
export function isAbsent(name: string, value: Json): boolean {
  const isKnown = KNOWN_INSIDE[name];
  if (isNothing(value) || isKnown === undefined || !isJsonObject(value)) return isNothing(value);
  // Usually the first of possibly thousands of keys decides, so do not list them all.
  for (const key in value) if (!isKnown(key) || !isNothing(value[key] ?? null)) return false;
  return true;
}

/** Which keys are known inside the optional fields that are objects. */
const KNOWN_INSIDE: Readonly<Record<string, (key: string) => boolean>> = {
  callQuality: (key) => KNOWN_FIELDS.callQuality.has(key.toLowerCase()),
  errorDetails: (key) => KNOWN_FIELDS.errorDetails.has(key.toLowerCase()),
  details: isLegName,
};

/** `callA` to `callZ`, in any case. */
export function isLegName(key: string): boolean {
  return /^call[a-z]$/i.test(key);
}

/** Whether an object in `details` is read as a leg. Only `callA` to `callZ` are documented. */
export function canNameLeg(key: string): boolean {
  return /^[\w-]{1,64}$/.test(key);
}

/** 8x8 has published null, an empty text and the text "null" for a field without a value. */
export function isNothing(value: Json): boolean {
  if (typeof value !== 'string') return value === null;
  return value === '' || (value.length === 4 && value.toLowerCase() === 'null');
}

const callQualityFields = {
  /** Mean opinion score, 1.0 (bad) to 5.0 (excellent). */
  mos: tolerated(decimal),
  /** A fraction: 0.01 is one percent. */
  packetLossRate: tolerated(decimal),
  /** Milliseconds. */
  jitter: tolerated(integer),
};

const errorDetailsFields = {
  /** See `error-codes.ts`. */
  errorCode: tolerated(integer),
  errorMsg: tolerated(text),
  /** Not documented, but observed: the call flow request that failed, and its action. */
  callFlowRequestId: tolerated(text),
  action: tolerated(action),
};

const legFields = {
  callId: tolerated(text),
  callDirection: tolerated(vocabulary(['INBOUND', 'OUTBOUND'])),
  callType: tolerated(vocabulary(['PSTN', 'VOIP'])),
  callStatus: tolerated(status),
  initiatedTimestamp: tolerated(instant),
  connectedTimestamp: tolerated(instant),
  disconnectedTimestamp: tolerated(instant),
  /** Seconds connected, as counted by 8x8: not always the difference between the timestamps. */
  callDuration: tolerated(integer),
  source: tolerated(text),
  sourceFormat: tolerated(vocabulary(['MSISDN'])),
  /** ISO 3166-1 alpha-2. */
  sourceCountryCode: tolerated(text),
  /** Reference id of the virtual number that an outbound leg shows as its caller. */
  sourceRefId: tolerated(text),
  destination: tolerated(text),
  destinationFormat: tolerated(vocabulary(['MSISDN'])),
  destinationCountryCode: tolerated(text),
  /** Reference id of the virtual number that an inbound leg called. */
  destinationRefId: tolerated(text),
  callQuality: tolerated(fields(callQualityFields)),
  /** Documented for the payload, but one page says that it concerns a leg. */
  errorDetails: tolerated(fields(errorDetailsFields)),
};

/** One leg of a session, with its documented fields. */
export const LegFields = fields(legFields);

/** The id of a session or sub-account: printable ASCII, so it can be a key, a log field and an attribute anywhere. */
const id = v.pipe(v.string(), v.regex(/^[!-~]{1,128}$/));

const requiredFields = { sessionId: id, subAccountId: id };

const payloadFields = {
  ...requiredFields,
  sessionStatus: tolerated(v.pipe(status, v.maxLength(128))),
  startTime: tolerated(instant),
  endTime: tolerated(instant),
  lastAction: tolerated(action),
  /** The number of legs, connected or not. */
  callCount: tolerated(integer),
  /** The id that the client assigned to its request. */
  clientRequestId: tolerated(text),
  errorDetails: tolerated(fields(errorDetailsFields)),
  /** Legs by name: `callA`, `callB`. */
  details: tolerated(v.custom<JsonObject>(isJsonObject)),
};

const summaryType = v.pipe(eventType, v.literal('SESSION_SUMMARY'));

const eventFields = {
  eventType: summaryType,
  /** Schema version of the payload. */
  version: tolerated(integer),
  namespace: tolerated(v.literal('VOICE')),
  description: tolerated(v.literal('Summary of a completed call session')),
  payload: fields(payloadFields),
};

/** A whole delivery. */
export const SummaryEvent = fields(eventFields);

/** The required part of a delivery, which is a summary if and only if it matches. */
export const IdentifyingEvent = fields({ eventType: summaryType, payload: fields(requiredFields) });

/** A delivery of one of 8x8's other webhooks. */
export const OtherEvent = fields({ eventType: v.pipe(eventType, v.picklist(OTHER_EVENTS)) });

/** The payload of a summary under any event type: it identifies a session, and has a field that no other event has. */
export const SummaryPayload = fields({
  payload: v.pipe(
    v.custom<JsonObject>(isJsonObject),
    v.check((payload) =>
      Object.keys(payload).some((key) => /^(?:sessionStatus|endTime|details)$/i.test(key)),
    ),
    fields(requiredFields),
  ),
});

/** The known fields of each object in a delivery, with their types. */
export const FIELDS = {
  event: eventFields,
  payload: payloadFields,
  leg: legFields,
  callQuality: callQualityFields,
  errorDetails: errorDetailsFields,
};

/** The names of these fields. */
export const KNOWN_FIELDS = {
  event: namesOf(FIELDS.event),
  payload: namesOf(FIELDS.payload),
  leg: namesOf(FIELDS.leg),
  callQuality: namesOf(FIELDS.callQuality),
  errorDetails: namesOf(FIELDS.errorDetails),
};

/** The requirements of a delivery, by path, as the response to an invalid delivery states them. */
export const REQUIREMENTS: ReadonlyMap<string, string> = new Map([
  ['', 'expected a JSON object'],
  ['eventType', 'expected SESSION_SUMMARY'],
  ['payload', 'expected an object with the summary'],
  ['payload.sessionId', 'expected 1 to 128 printable ASCII characters'],
  ['payload.subAccountId', 'expected 1 to 128 printable ASCII characters'],
]);
