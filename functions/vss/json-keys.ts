import type { Json, JsonObject } from './json.ts';

/** A string, what is in it, and the colon that makes it a key. */
const STRING_MAYBE_KEY = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?/g;

/** Whether a text that is JSON has more keys than that. */
export function hasMoreKeys(json: string, most: number): boolean {
  // No shorter text has: `"":1,` is the shortest that a key takes.
  if (json.length <= most * 5) return false;
  let keys = 0;
  for (const [, , colon] of json.matchAll(STRING_MAYBE_KEY))
    if (colon !== undefined && ++keys > most) return true;
  return false;
}

/**
 * Parses a text that is JSON. V8 takes a key that is written with an escape, such as `"\u0041"`, for another one that
 * it parsed before and that ends in a backslash. So such keys are parsed as what they stand for or, where JSON takes
 * that only as an escape, as a mark that is replaced afterwards.
 *
 * @see https://github.com/nodejs/node/issues/63785
 */
export function parseWithEscapedKeys(json: string): Json {
  // One name is written in one way only, so that of a key given twice the last counts.
  const marks = new Map<string, string>();
  const plain = json.replace(STRING_MAYBE_KEY, (token: string, inner: string, colon: string | undefined) => {
    if (colon === undefined || !/[\\\x80]/.test(inner)) return token;
    const name: string = JSON.parse(`"${inner}"`);
    if (PLAIN.test(name)) return `"${name}"${colon}`;
    const mark = marks.get(name) ?? `${MARK}${marks.size}`;
    marks.set(name, mark);
    return `"${mark}"${colon}`;
  });
  const value: Json = JSON.parse(plain);
  if (marks.size > 0) putNames(value, new Map([...marks].map(([name, mark]) => [mark, name])));
  return value;
}

/** What a mark begins with. It is Latin-1, of which V8 makes strings half as long. */
const MARK = '\x80';

/** A name that JSON takes without an escape (all but controls, quotation mark and backslash), and that is no mark. */
const PLAIN = /^[ !#-[\]-\x7F\x81-\uFFFF]*$/;

/** Puts names in place of marks, at any depth of nesting. */
function putNames(value: Json, names: ReadonlyMap<string, string>): void {
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next) && Object.keys(next).some((key) => names.has(key))) rename(next, names);
    for (const inner of Object.values(next)) pending.push(inner);
  }
}

function rename(object: JsonObject, names: ReadonlyMap<string, string>): void {
  const entries = Object.entries(object);
  // All of them, so that their order stays.
  for (const [key] of entries) Reflect.deleteProperty(object, key);
  for (const [key, value] of entries) {
    // Not by assignment: the name may be __proto__.
    const property = { value, configurable: true, enumerable: true, writable: true };
    Reflect.defineProperty(object, names.get(key) ?? key, property);
  }
}
