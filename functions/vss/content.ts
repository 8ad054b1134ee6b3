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
    const { name, normalise } = fieldOf(key);
    const content = contentOf(object[key] ?? null, normalise, depth + 1);
    if (content === undefined) continue;
    // Two spellings of one name are two fields: which of them is read depends on how each is written.
    if (contents.has(name)) return canonicalJson(object);
    contents.set(name, content);
  }
  return `{${[...contents]
    .map(([name, content]) => `${name}:${content}`)
    .sort()
    .join()}}`;
}

/** Removes the differences between the ways in which a value may be written. */
type Normalise = (value: string | number) => string | number;

const asItIs: Normalise = (value) => value;

/** Chooses the normalisation by the end of a field's name, which tells its type in every field that 8x8 has published. */
const NORMALISATIONS: readonly (readonly [RegExp, Normalise])[] = [
  [/time(?:stamp)?$/, (value) => (isFinerThanMilliseconds(value) ? value : (utcOf(value) ?? value))],
  [
    /(?:status|action|direction|type|format)$/,
    (value) => (typeof value === 'string' ? letters(value) : value),
  ],
  [
    /(?:count|code|duration|mos|rate|jitter)$/,
    (value) =>
      typeof value === 'string' && isDecimal(value) && !/^-?0\d/.test(value) ? Number(value) : value,
  ],
];

interface Field {
  /** In lower case and quotation marks. */
  name: string;
  normalise: Normalise;
}

/** Fields by key: nearly all deliveries have the same few dozen. */
const fields = new Map<string, Field>();
const MAX_FIELDS = 500;

function fieldOf(key: string): Field {
  const known = fields.get(key);
  if (known !== undefined) return known;
  const name = key.toLowerCase();
  const [, normalise = asItIs] = NORMALISATIONS.find(([ending]) => ending.test(name)) ?? [];
  const field = { name: JSON.stringify(name), normalise };
  if (fields.size < MAX_FIELDS && key.length < MAX_FIELDS) fields.set(key, field);
  return field;
}
