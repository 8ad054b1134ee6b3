import { isJsonObject, type Json, type JsonObject } from '../../../functions/vss/json.ts';
import { parseJson } from '../../../functions/vss/parse-json.ts';
import type { Summary } from '../../../functions/vss/summary.ts';

/**
 * A delivery that would have become this summary: what the summary shows, where 8x8 documents it, and what is
 * unrecognised put back under its path. Knows nothing of how summaries are made, only what the README says of them.
 */
export function rebuild({ version, legs, unrecognised = {}, digest: _, ...identity }: Summary): Json {
  const details = new Map(legs.map(({ leg, ...fields }) => [leg, asObject(fields)]));
  const event: Tree = asObject({ eventType: 'SESSION_SUMMARY', version });
  event.set('payload', asObject(identity).set('details', details));
  for (const [path, value] of Object.entries(unrecognised)) {
    const keys = keysOf(path);
    const place = keys.slice(0, -1).reduce<Tree>((tree, key) => descend(tree, key), event);
    const last = keys.at(-1) ?? '';
    if (path === '*' || path.endsWith('.*')) {
      for (const json of Array.isArray(value) ? value : []) {
        const listed: Json = parseJson(String(json));
        for (const [key, inner] of isJsonObject(listed) ? Object.entries(listed) : []) place.set(key, inner);
      }
    } else {
      place.set(last, unwrap(value));
    }
  }
  return plain(event);
}

/** The value under a path, as it was delivered. */
export function unwrap(value: Json): Json {
  return isJsonObject(value) && Object.keys(value).join() === 'json'
    ? parseJson(String(value['json']))
    : value;
}

/** An object whose keys may be anything, or a value. */
interface Tree extends Map<string, Tree | Json> {}

function asObject(object: object): Tree {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return new Map(entries.map(([key, value]) => [key, isJsonObject(value) ? asObject(value) : value]));
}

function descend(tree: Tree, key: string): Tree {
  const inner = tree.get(key) ?? new Map();
  if (!(inner instanceof Map)) throw new Error(`A path leads through ${key}, where there is no object`);
  tree.set(key, inner);
  return inner;
}

function plain(value: Tree | Json): Json {
  if (!(value instanceof Map)) return value;
  const object: JsonObject = Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  return object;
}

/** The keys of a path: names between dots, anything else in brackets as a JSON text. */
function keysOf(path: string): string[] {
  return [...path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, quoted, name = '']) =>
    quoted === undefined ? name : String(parseJson(quoted)),
  );
}
