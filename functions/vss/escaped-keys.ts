import type { Json, JsonObject } from './json.ts';

/**
 * Parses a text that is JSON. V8 takes a key that is written with an escape, such as `"\u0041"`, for another one that
 * it parsed before and that ends in a backslash. So such keys are parsed as the characters that they stand for; of
 * these, the ones that JSON takes only as an escape are shifted, and moved back afterwards.
 *
 * @see https://github.com/nodejs/node/issues/63785
 */
export function parseWithEscapedKeys(json: string): Json {
  let isShifted = false;
  const plain = json.replace(STRING_MAYBE_KEY, (token: string, inner: string, colon: string | undefined) => {
    // One name is written in one way only, so that of a key given twice the last counts.
    if (colon === undefined || !/[\\\x80]/.test(inner)) return token;
    const name = inner.replace(ESCAPE, meaning);
    isShifted ||= name.includes(SHIFTED);
    return `"${name}"${colon}`;
  });
  const value: Json = JSON.parse(plain);
  return isShifted ? shiftNamesBack(value) : value;
}

/** A string, what is in it, and the colon that makes it a key. */
const STRING_MAYBE_KEY = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?/g;

/** What stands for a character: an escape; or the mark of those that are shifted. */
const ESCAPE = /\\(?:u(.{4})|(.))|\x80/g;

/** The character after it is shifted by so much. Both are Latin-1, of which V8 makes strings half as long. */
const SHIFTED = '\x80';
const SHIFT = 0x80;

const SHORT: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The character that an escape stands for; shifted, where that has no place in JSON or is the mark. */
function meaning(mark: string, hex: string | undefined, short = mark): string {
  const character =
    hex === undefined ? (SHORT[short] ?? short) : String.fromCharCode(Number.parseInt(hex, 16));
  if (character >= ' ' && !/["\\\x80]/.test(character)) return character;
  return SHIFTED + String.fromCharCode(character.charCodeAt(0) + SHIFT);
}

function shiftBack(name: string): string {
  return name.replace(/\x80(.)/g, (_, shifted: string) => String.fromCharCode(shifted.charCodeAt(0) - SHIFT));
}

/** The value with the names of all its keys shifted back. Works at any depth of nesting. */
function shiftNamesBack(value: Json): Json {
  const root: Json[] = [value];
  const pending: { holder: object; key: string; value: Json[] | JsonObject }[] = [];
  const visit = (holder: object, entries: [string, Json][]) => {
    for (const [key, value] of entries)
      if (typeof value === 'object' && value !== null) pending.push({ holder, key, value });
  };
  visit(root, Object.entries(root));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { holder, key, value } = next;
    const entries = Object.entries(value);
    if (entries.some(([key]) => key.includes(SHIFTED))) {
      for (const entry of entries) entry[0] = shiftBack(entry[0]);
      const named = Object.fromEntries(entries);
      // Not by assignment: the key may be __proto__.
      Reflect.defineProperty(holder, key, { value: named });
      visit(named, entries);
    } else {
      visit(value, entries);
    }
  }
  return root[0] ?? null;
}
