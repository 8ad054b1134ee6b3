import type { Json, JsonObject } from './json.ts';

/**
 * V8 takes a key that is written with an escape, such as `"\u0041"`, for another one that it parsed before and that
 * ends in a backslash. So such keys are parsed as the characters that they stand for; those that have one which JSON
 * takes only as an escape, in a code, and they get their own names afterwards.
 *
 * @throws SyntaxError when the text is not JSON.
 * @see https://github.com/nodejs/node/issues/63785
 */
export function parseWithEscapedKeys(json: string): Json {
  let isCoded = false;
  const plain = json.replace(STRING_MAYBE_KEY, (token: string, inner: string, colon: string | undefined) => {
    // One name is written in one way only, so that of a key given twice the last counts.
    if (colon === undefined || !/\\|\uE001|^\uE000/.test(inner)) return token;
    const name = inner.replace(ESCAPE, meaning);
    if (!name.startsWith(CODED) && !name.includes(SHIFTED)) return `"${name}"${colon}`;
    isCoded = true;
    return `"${CODED}${name}"${colon}`;
  });
  const value: Json = JSON.parse(plain);
  return isCoded ? decodeNames(value) : value;
}

/** A string, what is in it, and the colon that makes it a key. */
const STRING_MAYBE_KEY = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?/g;

/** What stands for a character: an escape; or the mark itself that codes have. Another escape stays: it is no JSON. */
const ESCAPE = /\\(?:u([\dA-Fa-f]{4})|(["\\/bfnrt]))|\uE001/g;

/** A key that begins with this is in code; in it, a character after the other is shifted. */
const CODED = '\uE000';
const SHIFTED = '\uE001';
const SHIFT = 0x100;

const SHORT: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The character that an escape stands for; shifted, where that has no place in JSON or means something in a code. */
function meaning(escaped: string, hex: string | undefined, short: string | undefined): string {
  const character =
    hex === undefined
      ? (SHORT[short ?? ''] ?? short ?? escaped)
      : String.fromCharCode(Number.parseInt(hex, 16));
  if (character >= ' ' && !/["\\\uE001]/.test(character)) return character;
  return SHIFTED + String.fromCharCode(character.charCodeAt(0) + SHIFT);
}

function nameOf(key: string): string {
  if (!key.startsWith(CODED)) return key;
  return key
    .slice(CODED.length)
    .replace(/\uE001(.)/g, (_, shifted: string) => String.fromCharCode(shifted.charCodeAt(0) - SHIFT));
}

/** The value with the names of all its keys out of their code. Works at any depth of nesting. */
function decodeNames(value: Json): Json {
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
    if (!Array.isArray(value) && entries.some(([key]) => key.startsWith(CODED))) {
      for (const entry of entries) entry[0] = nameOf(entry[0]);
      const decoded = Object.fromEntries(entries);
      Reflect.defineProperty(holder, key, { ...PLAIN, value: decoded });
      visit(decoded, entries);
    } else {
      visit(value, entries);
    }
  }
  return root[0] ?? null;
}

const PLAIN = { configurable: true, enumerable: true, writable: true };
