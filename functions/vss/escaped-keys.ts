import type { Json, JsonObject } from './json.ts';

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
  return marks.size === 0 ? value : named(value, new Map([...marks].map(([name, mark]) => [mark, name])));
}

/** A string, what is in it, and the colon that makes it a key. */
const STRING_MAYBE_KEY = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?/g;

/** What a mark begins with. It is Latin-1, of which V8 makes strings half as long. */
const MARK = '\x80';

/** A name that JSON takes without an escape (all but controls, quotation mark and backslash), and that is no mark. */
const PLAIN = /^[ !#-[\]-\x7F\x81-\uFFFF]*$/;

/** The value with names in place of marks. Works at any depth of nesting. */
function named(value: Json, names: ReadonlyMap<string, string>): Json {
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
    if (entries.some(([key]) => names.has(key))) {
      for (const entry of entries) entry[0] = names.get(entry[0]) ?? entry[0];
      const object = Object.fromEntries(entries);
      // Not by assignment: the key may be __proto__.
      Reflect.defineProperty(holder, key, { value: object });
      visit(object, entries);
    } else {
      visit(value, entries);
    }
  }
  return root[0] ?? null;
}
