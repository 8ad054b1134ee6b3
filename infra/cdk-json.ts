import { readFileSync } from 'node:fs';
import { ConfigurationError } from './configuration-error.ts';

/**
 * Reads cdk.json. Also rejects a key that an object has twice, of which JSON.parse, and so the CDK CLI, silently keeps
 * the last.
 *
 * @throws ConfigurationError that names the file and, for such a key and for a comma after the last entry, line and key.
 */
export function readCdkJson(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  const problem = problemIn(text);
  if (problem)
    throw new ConfigurationError(`${path}, line ${lineAt(text, problem.index)}: ${problem.advice}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/** A string, which is a key if a colon follows; a character that opens, closes or separates; or another value. */
const TOKEN = /"(?<string>(?:[^"\\]|\\.)*)"(?<colon>\s*:)?|[{}[\],]|[^\s{}[\],:"]+/g;

/** Finds the first key that an object has twice, or comma after a last entry, whose line JSON.parse may not name. */
function problemIn(text: string): { index: number; advice: string } | undefined {
  /** The objects and lists around the token: their keys with their positions. The last one leads to the token. */
  const open: Map<string, number>[] = [];
  const path = () => open.flatMap((keys) => [...keys.keys()].at(-1) ?? []).join('.');
  let comma: number | undefined;
  for (const { 0: token, groups, index } of text.matchAll(TOKEN)) {
    const isClosing = token === '}' || token === ']';
    if (isClosing && comma !== undefined)
      return { index: comma, advice: `remove the comma after the last entry, ${path()}.` };
    comma = token === ',' ? index : undefined;
    if (isClosing) open.pop();
    if (token === '{' || token === '[') open.push(new Map());
    if (groups?.['colon'] === undefined) continue;
    const key = groups['string'] ?? '';
    const keys = open.at(-1);
    const first = keys?.get(key);
    keys?.delete(key);
    keys?.set(key, index);
    if (first !== undefined)
      return { index, advice: `${path()} is set twice, first in line ${lineAt(text, first)}. Remove one.` };
  }
  return undefined;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
