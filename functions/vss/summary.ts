import * as v from 'valibot';
import { contentDigest } from './content.ts';
import { type NoSummary, parseBody, readEvent } from './event.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from './json.ts';
import {
  canNameLeg,
  isAbsent,
  isLegName,
  isNothing,
  KNOWN_FIELDS,
  LegFields,
  nameOf,
  SummaryEvent,
  spellings,
} from './payload.ts';
import { isFinerThanMilliseconds } from './values.ts';

type Payload = v.InferOutput<typeof SummaryEvent>['payload'];

/** A call leg of a session: its name (`callA`), and the documented fields whose values match their types. */
export interface Leg extends v.InferOutput<typeof LegFields> {
  leg: string;
}

/**
 * The canonical form of a delivery: 8x8's field names, one spelling per value, UTC times with milliseconds, legs sorted
 * by name. Lossless: everything else that was delivered is under `unrecognised`.
 */
export interface Summary extends Omit<Payload, 'details'> {
  /** Identifies the content: see `contentDigest`. */
  digest: string;
  version?: number | undefined;
  legs: Leg[];
  /** Maps a path in the delivery (`payload.details.callA.ringSeconds`) to its value, in the form of `storable`. */
  unrecognised?: Record<string, Json> | undefined;
}

export type Canonicalised = { outcome: 'summary'; summary: Summary } | NoSummary;

/** Reads a body as delivered: text, or bytes if they are not UTF-8. */
export function readSummary(body: string | Uint8Array): Canonicalised | { outcome: 'invalid-json' } {
  const delivered = parseBody(body);
  return delivered === undefined ? { outcome: 'invalid-json' } : canonicalise(delivered);
}

/** Converts a delivery, parsed from JSON, to its canonical form. */
export function canonicalise(delivered: Json): Canonicalised {
  const read = readEvent(SummaryEvent, delivered);
  if (read.outcome !== 'event') return read;
  const { version, payload } = read.event;
  const { details = {}, ...identity } = payload;
  const { legs, unread } = readLegs(details);
  return {
    outcome: 'summary',
    summary: {
      ...identity,
      digest: contentDigest(payloadOf(delivered)),
      version,
      legs,
      unrecognised: byPath([...unreadIn('event', delivered, read.event, ''), ...unread]),
    },
  };
}

/** The payload as it was delivered. */
function payloadOf(delivered: Json): Json {
  if (!isJsonObject(delivered)) return null;
  return delivered[spellings(KNOWN_FIELDS.event, delivered).get('payload') ?? ''] ?? null;
}

/** Whether the status, the start or the end of a session is missing or unreadable. */
export function isIncomplete({ sessionStatus, startTime, endTime }: Summary): boolean {
  return sessionStatus === undefined || startTime === undefined || endTime === undefined;
}

/** A delivered field that the canonical form lacks: its key, and the path of the object that has it. */
interface Unread {
  place: string;
  key: string;
  value: Json;
}

function readLegs(details: JsonObject): { legs: Leg[]; unread: Unread[] } {
  const legs = new Map<string, Leg | undefined>();
  const unread: Unread[] = [];
  // Read documented spellings before variants, so that the result does not depend on the order of delivery.
  const keys = Object.keys(details);
  const variants = keys.filter((key) => key !== legName(key)).sort();
  for (const key of [...keys.filter((key) => key === legName(key)), ...variants]) {
    const value = details[key] ?? null;
    if (isLegName(key) && isNothing(value)) continue;
    const name = legName(key);
    const isFirst = !legs.has(name);
    if (isFirst && isJsonObject(value) && canNameLeg(name)) {
      const leg = v.parse(LegFields, value);
      legs.set(name, { leg: name, ...leg });
      unread.push(...unreadIn('leg', value, leg, pathTo('payload.details', name)));
    } else {
      if (isFirst) legs.set(name, undefined);
      unread.push({ place: 'payload.details', key, value });
    }
  }
  return {
    legs: [...legs.values()].filter((leg) => leg !== undefined).sort((a, b) => (a.leg < b.leg ? -1 : 1)),
    unread,
  };
}

/** `CallA` and `callA` name the same leg. Other names are unchanged. */
function legName(key: string): string {
  return isLegName(key) ? `call${key.slice(4).toUpperCase()}` : key;
}

/** All fields in `delivered` that `read` lacks: unknown ones, values that do not match, truncated digits. */
function unreadIn(kind: keyof typeof KNOWN_FIELDS, delivered: Json, read: unknown, place: string): Unread[] {
  if (!isJsonObject(delivered) || !isJsonObject(read)) return [];
  const names = KNOWN_FIELDS[kind];
  const unread: Unread[] = [];
  let readFrom: ReadonlyMap<string, string> | undefined;
  for (const key in delivered) {
    const value = delivered[key] ?? null;
    const name = nameOf(names, key);
    if (name !== undefined && isAbsent(name, value)) continue;
    // The documented spelling is always read; of several variants, only one is.
    if (name !== undefined && key !== name) readFrom ??= spellings(names, delivered);
    if (name === undefined || (key !== name && readFrom?.get(name) !== key)) {
      unread.push({ place, key, value });
    } else if (isNested(name) && isJsonObject(value)) {
      unread.push(...unreadIn(name, value, read[name] ?? {}, pathTo(place, name)));
    } else if (read[name] === undefined || isFinerThanShown(read[name], value)) {
      unread.push({ place, key: name, value });
    }
  }
  return unread;
}

function isNested(name: string): name is 'payload' | 'callQuality' | 'errorDetails' {
  return name === 'payload' || name === 'callQuality' || name === 'errorDetails';
}

/** Whether a value is a time that was truncated. */
function isFinerThanShown(shown: unknown, delivered: Json): boolean {
  return typeof shown === 'string' && shown !== delivered && isFinerThanMilliseconds(delivered);
}

/** Maps the paths of fields to their values; undefined if there are none. */
function byPath(fields: readonly Unread[]): Record<string, Json> | undefined {
  if (fields.length === 0) return undefined;
  const named = fields.filter(({ key }) => key.length <= MAX_KEY_LENGTH);
  const others = fields.filter(({ key }) => key.length > MAX_KEY_LENGTH);
  return Object.fromEntries<Json>([
    ...named.map(({ place, key, value }) => [pathTo(place, key), storable(value)] as const),
    ...Array.from(
      Map.groupBy(others, ({ place }) => (place === '' ? '*' : `${place}.*`)),
      ([path, group]) =>
        [path, group.map(({ key, value }) => canonicalJson({ [key]: value })).sort()] as const,
    ),
  ]);
}

/** DynamoDB allows 64 KiB, but field names are shorter than this. Fields with longer names are under `*`, as JSON. */
const MAX_KEY_LENGTH = 255;

/** Whether a key is at most `MAX_KEY_LENGTH` long and needs no escape in JSON. */
function isPlainKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && JSON.stringify(key) === `"${key}"`;
}

/** Quotes a key that is not a plain name, so that no two fields have the same path. */
function pathTo(path: string, key: string): string {
  if (!/^[A-Za-z][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** Deeper values are kept as JSON text: DynamoDB allows 32 levels, and the record itself needs some of them. */
const MAX_DEPTH = 16;

/** Returns a value that DynamoDB stores exactly unchanged, and any other as `{ json: "its JSON text" }`. */
function storable(value: Json): Json {
  const looksWrapped = isJsonObject(value) && Object.keys(value).join() === 'json';
  return isExactInDynamoDb(value) && !looksWrapped ? value : { json: canonicalJson(value) };
}

function isExactInDynamoDb(value: Json, depth = 1): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') {
    return value === 0 || (Math.abs(value) <= Number.MAX_SAFE_INTEGER && Math.abs(value) >= 1e-100);
  }
  if (typeof value !== 'object' || value === null) return true;
  if (depth > MAX_DEPTH) return false;
  return Object.entries(value).every(
    ([key, item]) =>
      // DynamoDB rejects an empty name. Code that builds objects by assignment loses `__proto__`. V8 may confuse a
      // key that needs an escape (`parseWithEscapedKeys`) when the SDK parses the item.
      key !== '' && key !== '__proto__' && isPlainKey(key) && isExactInDynamoDb(item, depth + 1),
  );
}
