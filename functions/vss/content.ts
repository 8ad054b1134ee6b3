import { hash } from 'node:crypto';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from './json.ts';
import { isNothing } from './payload.ts';
import { isDecimal, letters, utcOf } from './values.ts';

/**
 * What a payload says, whatever its wording: SHA-256, in hexadecimal. It depends on no list of known fields, so that a
 * delivery that is repeated after a release that learns a field still has the digest that it had before.
 *
 * The same for payloads that differ only in the order and the case of keys, in fields without a value, and in how they
 * write times, numbers and the words of a vocabulary.
 */
export function contentDigest(payload: Json): string {
  return hash('sha256', contentOf(payload, TEXT, 1) ?? '', 'hex');
}

/** Deeper values are compared as they are: recursion would exhaust the stack. */
const MAX_DEPTH = 32;

/** The content of a value, whose texts are all of one kind; undefined if there is none. */
function contentOf(value: Json, inOneWording: Wording, depth: number): string | undefined {
  if (isNothing(value)) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return JSON.stringify(inOneWording(value));
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > MAX_DEPTH) return canonicalJson(value);
  if (isJsonObject(value)) return contentOfObject(value, depth);
  return `[${value.map((item) => contentOf(item, inOneWording, depth + 1)).join()}]`;
}

function contentOfObject(object: JsonObject, depth: number): string | undefined {
  const parts: string[] = [];
  for (const key in object) {
    const { name, inOneWording } = fieldOf(key);
    const content = contentOf(object[key] ?? null, inOneWording, depth + 1);
    if (content !== undefined) parts.push(`${name}:${content}`);
  }
  return parts.length === 0 ? undefined : `{${parts.sort().join()}}`;
}

/** A value without the differences between the ways in which it may be written. */
type Wording = (value: string | number) => string | number;

const TEXT: Wording = (value) => value;

/** By how its name ends, what a field holds: names say so in every field that 8x8 has published, and its spelling varies. */
const WORDINGS: readonly (readonly [RegExp, Wording])[] = [
  [/time(?:stamp)?$/, (value) => utcOf(value) ?? value],
  [
    /(?:status|action|direction|type|format)$/,
    (value) => (typeof value === 'string' ? letters(value) : value),
  ],
  [
    /(?:count|code|duration|mos|rate|jitter)$/,
    (value) => (typeof value === 'string' && isDecimal(value) ? Number(value) : value),
  ],
];

interface Field {
  /** In lower case and quotation marks. */
  name: string;
  inOneWording: Wording;
}

/** Fields by key: nearly all deliveries have the same few dozen. */
const fields = new Map<string, Field>();
const MAX_FIELDS = 500;

function fieldOf(key: string): Field {
  const known = fields.get(key);
  if (known !== undefined) return known;
  const name = key.toLowerCase();
  const [, inOneWording = TEXT] = WORDINGS.find(([ending]) => ending.test(name)) ?? [];
  const field = { name: JSON.stringify(name), inOneWording };
  if (fields.size < MAX_FIELDS && key.length < MAX_FIELDS) fields.set(key, field);
  return field;
}
