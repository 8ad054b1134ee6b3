import { hash } from 'node:crypto';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from './json.ts';
import { isNothing } from './payload.ts';
import { isDecimal, isFinerThanMilliseconds, letters, utcOf } from './values.ts';

/**
 * SHA-256 of a payload's content in a normalised form, in hexadecimal. It depends on no list of known fields, so that a
 * delivery that is repeated after a release that learns a field still has the digest that it had before.
 *
 * The same for payloads that differ only in the order and the case of keys, in fields without a value, and in how they
 * write times, numbers and the words of a vocabulary.
 */
export function contentDigest(payload: Json): string {
  return hash('sha256', contentOf(payload, asItIs, 1) ?? '', 'hex');
}

/** Deeper values are compared as they are: recursion would exhaust the stack. */
const MAX_DEPTH = 32;

/** The content of a value, whose texts are all of one kind; undefined if there is none. */
function contentOf(value: Json, normalise: Normalise, depth: number): string | undefined {
  if (isNothing(value)) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return JSON.stringify(normalise(value));
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > MAX_DEPTH) return canonicalJson(value);
  if (isJsonObject(value)) return contentOfObject(value, depth);
  return `[${value.map((item) => contentOf(item, normalise, depth + 1) ?? 'null').join()}]`;
}

function contentOfObject(object: JsonObject, depth: number): string {
  const contents = new Map<string, string>();
  for (const key in object) {
    const name = key.toLowerCase();
    const content = contentOf(object[key] ?? null, normaliserFor(name), depth + 1);
    if (content === undefined) continue;
    // Two spellings of one name are two fields: which of them is read depends on how each is written.
    if (contents.has(name)) return canonicalJson(object);
    contents.set(name, content);
  }
  const names = [...contents.keys()].sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${contents.get(name)}`).join()}}`;
}

/** Removes the differences between the ways in which a value may be written. */
type Normalise = (value: string | number) => string | number;

const asItIs: Normalise = (value) => value;

const asTime: Normalise = (value) => (isFinerThanMilliseconds(value) ? value : (utcOf(value) ?? value));
const asWord: Normalise = (value) => (typeof value === 'string' ? letters(value) : value);
const asNumber: Normalise = (value) =>
  typeof value === 'string' && isDecimal(value) && !/^-?0\d/.test(value) ? Number(value) : value;

/** The end of a field's name tells its type, in every field that 8x8 has published. */
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
  return NORMALISERS.find(([ending]) => name.endsWith(ending))?.[1] ?? asItIs;
}
