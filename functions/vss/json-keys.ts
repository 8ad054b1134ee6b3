import type { Json, JsonObject } from './json.ts';

/** Yields where each key of valid JSON text starts and ends. A regular expression takes several times as long. */
function* keysOf(json: string): Generator<[start: number, end: number]> {
  for (let start = json.indexOf('"'); start !== -1; ) {
    let end = start + 1;
    while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
    end++;
    let next = end;
    while (WHITE_SPACE.has(json.charAt(next))) next++;
    if (json[next] === ':') yield [start, end];
    start = json.indexOf('"', next);
  }
}

const WHITE_SPACE: ReadonlySet<string> = new Set([' ', '\t', '\n', '\r']);

/** Whether valid JSON text has more than `maxKeys` keys. */
export function hasMoreKeys(json: string, maxKeys: number): boolean {
  // A shorter text cannot: a key and its value take at least five characters, `"":1,`.
  // Stryker disable next-line all: the length check only saves time.
  return json.length > maxKeys * 5 && keysOf(json).drop(maxKeys).next().done === false;
}

/**
 * Parses valid JSON text. V8 confuses a key that is written with an escape, such as `"\u0041"`, with a key that it
 * parsed before and that ends in a backslash. So escaped keys are unescaped before parsing or, where JSON requires the
 * escape, replaced by placeholders, which become the names again after parsing.
 *
 * @see https://github.com/nodejs/node/issues/63785
 */
export function parseWithEscapedKeys(json: string): Json {
  // Each name has one placeholder, so that the last of several equal keys wins.
  const placeholders = new Map<string, string>();
  let plain = '';
  let done = 0;
  for (const [start, end] of keysOf(json)) {
    const written = json.slice(start, end);
    // Stryker disable next-line all: it only saves time.
    if (!/[\\\x80]/.test(written)) continue;
    const name: string = JSON.parse(written);
    let key = name;
    if (!PLAIN.test(name)) {
      key = placeholders.get(name) ?? `${PLACEHOLDER_PREFIX}${placeholders.size}`;
      placeholders.set(name, key);
    }
    plain += `${json.slice(done, start)}"${key}"`;
    done = end;
  }
  const value: Json = JSON.parse(plain + json.slice(done));
  // Stryker disable next-line all: it only saves time.
  if (placeholders.size > 0)
    restoreNames(value, new Map([...placeholders].map(([name, placeholder]) => [placeholder, name])));
  return value;
}

/** Starts every placeholder. A Latin-1 character, because V8 stores Latin-1 strings in half the memory. */
const PLACEHOLDER_PREFIX = '\x80';

/** Names that JSON allows without an escape (no controls, quotation marks or backslashes), except placeholders. */
const PLAIN = /^[ !#-[\]-\x7F\x81-\uFFFF]*$/;

/** Replaces placeholders by names, at any depth of nesting. */
function restoreNames(value: Json, names: ReadonlyMap<string, string>): void {
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) rename(next, names);
    for (const inner of Object.values(next)) pending.push(inner);
  }
}

function rename(object: JsonObject, names: ReadonlyMap<string, string>): void {
  const entries = Object.entries(object);
  // Delete and re-add all keys to preserve their order.
  for (const [key] of entries) Reflect.deleteProperty(object, key);
  for (const [key, value] of entries) {
    // An assignment would not create a property named __proto__.
    const property = { value, configurable: true, enumerable: true, writable: true };
    Reflect.defineProperty(object, names.get(key) ?? key, property);
  }
}
