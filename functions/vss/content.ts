import { hash } from 'node:crypto';
import { canonicalJson, isJsonObject, type Json } from './json.ts';
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
  return hash('sha256', contentOf('', payload, 1) ?? '', 'hex');
}

/** Deeper values are compared as they are: recursion would exhaust the stack. */
const MAX_DEPTH = 32;

/** The content of a value, of a field with this name in lower case; undefined if there is none. */
function contentOf(name: string, value: Json, depth: number): string | undefined {
  if (isNothing(value)) return undefined;
  if (depth > MAX_DEPTH) return canonicalJson(value);
  if (Array.isArray(value)) return `[${value.map((item) => contentOf(name, item, depth + 1)).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(inOneWording(name, value));
  const parts: string[] = [];
  for (const key in value) {
    const inner = key.toLowerCase();
    const content = contentOf(inner, value[key] ?? null, depth + 1);
    if (content !== undefined) parts.push(`${JSON.stringify(inner)}:${content}`);
  }
  return parts.length === 0 ? undefined : `{${parts.sort().join()}}`;
}

function inOneWording(
  name: string,
  value: string | number | boolean | null,
): string | number | boolean | null {
  if (typeof value === 'boolean' || value === null) return value;
  if (IS_TIME.test(name)) return utcOf(value) ?? value;
  if (typeof value === 'number') return value;
  if (IS_WORD.test(name)) return letters(value);
  return IS_NUMBER.test(name) && isDecimal(value) ? Number(value) : value;
}

const IS_TIME = /time(?:stamp)?$/;
const IS_WORD = /(?:status|action|direction|type|format)$/;
const IS_NUMBER = /(?:count|code|duration|mos|rate|jitter)$/;
