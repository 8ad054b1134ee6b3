import { isJsonObject, type Json, type JsonObject } from '../../../functions/vss/json.ts';
import { parseJson } from '../../../functions/vss/parse-json.ts';
import type { Summary } from '../../../functions/vss/summary.ts';

/**
 * Rebuilds a delivery from its summary: the known fields at their documented places, and the unrecognised ones at their
 * paths. Independent of the implementation: it relies only on the format that the README documents.
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

/** The delivered value of an unrecognised field, which may be wrapped as JSON text. */
export function unwrap(value: Json): Json {
  return isJsonObject(value) && Object.keys(value).join() === 'json'
    ? parseJson(String(value['json']))
    : value;
}

/** An object with arbitrary keys, such as __proto__. */
interface Tree extends Map<string, Tree | Json> {}

function asObject(object: object): Tree {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return new Map(entries.map(([key, value]) => [key, isJsonObject(value) ? asObject(value) : value]));
}

function descend(tree: Tree, key: string): Tree {
  const inner = tree.get(key) ?? new Map();
  if (!(inner instanceof Map)) throw new Error(`The path contains ${key}, which is not an object`);
  tree.set(key, inner);
  return inner;
}

function plain(value: Tree | Json): Json {
  if (!(value instanceof Map)) return value;
  const object: JsonObject = Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  return object;
}

/** The keys of a path. Plain names are separated by dots; other keys are JSON strings in brackets. */
function keysOf(path: string): string[] {
  return [...path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, quoted, name = '']) =>
    quoted === undefined ? name : String(parseJson(quoted)),
  );
}
