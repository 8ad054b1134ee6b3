import { hash } from 'node:crypto';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from './json.ts';
import { canNameLeg, isNothing } from './payload.ts';
import { isDecimal, isFinerThanMilliseconds, normaliseWord, utcOf } from './values.ts';

/**
 * SHA-256 of a payload's normalised content, in hexadecimal. It does not depend on a list of known fields, so it stays
 * the same when a new release knows more fields.
 *
 * Payloads have the same digest if they differ only in the order and case of keys, in fields without a value, in
 * documented objects of which no field has a value, and in how times, numbers and vocabulary words are written.
 */
export function contentDigest(payload: Json): string {
  return hash('sha256', contentOf(payload, unchanged, 1, PAYLOAD) ?? '', 'hex');
}

/** Deeper values are not normalised: recursion would exhaust the stack. */
const MAX_DEPTH = 32;

/** The documented objects in an object, by their names in lower case. */
interface DocumentedObjects {
  /** Whether an object of this name without content is the same as none. */
  has(name: string): boolean;
  get(name: string): DocumentedObjects | undefined;
}

const NONE: DocumentedObjects = new Map();
const LEG: DocumentedObjects = new Map([
  ['callquality', NONE],
  ['errordetails', NONE],
]);
/** An empty leg is content: its name. */
const DETAILS: DocumentedObjects = { has: () => false, get: (name) => (canNameLeg(name) ? LEG : undefined) };
const PAYLOAD: DocumentedObjects = new Map([
  ['errordetails', NONE],
  ['details', DETAILS],
]);

/** The content of a value as JSON, with all its texts and numbers normalised; undefined if it has none. */
function contentOf(value: Json, normalise: Normalise, depth: number, objects = NONE): string | undefined {
  if (isNothing(value)) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return JSON.stringify(normalise(value));
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > MAX_DEPTH) return canonicalJson(value);
  if (isJsonObject(value)) return contentOfObject(value, depth, objects);
  return `[${value.map((item) => contentOf(item, normalise, depth + 1) ?? 'null').join()}]`;
}

function contentOfObject(object: JsonObject, depth: number, objects: DocumentedObjects): string {
  const contents = new Map<string, string>();
  for (const key in object) {
    const name = key.toLowerCase();
    const content = contentOf(object[key] ?? null, normaliserFor(name), depth + 1, objects.get(name));
    if (content === undefined || (content === '{}' && objects.has(name))) continue;
    // Two spellings of one name: which one is read depends on the spelling, so do not normalise the object.
    if (contents.has(name)) return canonicalJson(object);
    contents.set(name, content);
  }
  const names = [...contents.keys()].sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${contents.get(name)}`).join()}}`;
}

/** Converts equivalent forms of a value to one. */
type Normalise = (value: string | number) => string | number;

const unchanged: Normalise = (value) => value;

const asTime: Normalise = (value) => (isFinerThanMilliseconds(value) ? value : (utcOf(value) ?? value));
const asWord: Normalise = (value) => (typeof value === 'string' ? normaliseWord(value) : value);
const asNumber: Normalise = (value) =>
  typeof value === 'string' && isDecimal(value) && !/^-?0\d/.test(value) ? Number(value) : value;

/** The end of a field's name determines its type, for every field that 8x8 has published. */
const NORMALISERS: readonly (readonly [ending: string, normalise: Normalise])[] = [
  ['time', asTime],
  ['timestamp', asTime],
  ['status', asWord],
  ['action', asWord],
  ['direction', asWord],
  ['type', asWord],
  ['format', asWord],
  ['count', asNumber],
  ['code', asNumber],
  ['duration', asNumber],
  ['mos', asNumber],
  ['rate', asNumber],
  ['jitter', asNumber],
];

function normaliserFor(name: string): Normalise {
  return NORMALISERS.find(([ending]) => name.endsWith(ending))?.[1] ?? unchanged;
}
