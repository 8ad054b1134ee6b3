import type { Json, JsonObject } from './json.ts';

/** Where the keys of a text that is JSON begin and end. A regular expression takes several times as long. */
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

/** Whether a text that is JSON has more keys than that. */
export function hasMoreKeys(json: string, most: number): boolean {
  // No shorter text has: `"":1,` is the shortest that a key takes.
  // Stryker disable next-line all: the length only saves time.
  return json.length > most * 5 && keysOf(json).drop(most).next().done === false;
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
  let plain = '';
  let done = 0;
  for (const [start, end] of keysOf(json)) {
    const written = json.slice(start, end);
    // Stryker disable next-line all: it only saves time.
    if (!/[\\\x80]/.test(written)) continue;
    const name: string = JSON.parse(written);
    let key = name;
    if (!PLAIN.test(name)) {
      key = marks.get(name) ?? `${MARK}${marks.size}`;
      marks.set(name, key);
    }
    plain += `${json.slice(done, start)}"${key}"`;
    done = end;
  }
  const value: Json = JSON.parse(plain + json.slice(done));
  // Stryker disable next-line all: it only saves time.
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
    if (!Array.isArray(next)) rename(next, names);
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
