import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { readCdkJson } from '../../infra/cdk-json.ts';
import { ConfigurationError } from '../../infra/configuration-error.ts';
import { root } from './run.ts';

function read(text: string): unknown {
  const path = join(mkdtempSync(join(tmpdir(), 'vss-webhook-cdk-json-')), 'cdk.json');
  writeFileSync(path, text);
  return readCdkJson(path);
}

function messageFor(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
  }
  return 'no error';
}

describe('cdk.json', () => {
  it('is read as it is', () => {
    expect(readCdkJson(join(root, 'cdk.json'))).toEqual(cdkJson);
    expect(read('{"a": [{"x": 1}, {"x": 2}], "b": {"a": "a, }", "x": "\\",}"}}')).toEqual({
      a: [{ x: 1 }, { x: 2 }],
      b: { a: 'a, }', x: '",}' },
    });
  });

  it.each([
    [
      'a comma after the last key',
      '{\n"a": {\n"b": [1, 2],\n"c": false,\n}\n}',
      'line 4: remove the comma after the last entry, a.c.',
    ],
    [
      'a comma after the last of a list, whose line JSON.parse does not name',
      '{\n"a": {\n"b": ["x",\n]\n}\n}',
      'line 3: remove the comma after the last entry, a.b.',
    ],
    [
      'a key that is there twice',
      '{\n"a": {"b": 1,\n"c": {"b": 2},\n"b": 3\n}\n}',
      'line 4: a.b is set twice, first in line 2. Remove one.',
    ],
    [
      'a missing comma',
      '{\n"a": 1\n"b": 2\n}',
      "Expected ',' or '}' after property value in JSON at position 9 (line 3 column 1)",
    ],
  ])('is rejected because of %s, with the line', (_, text, expected) => {
    expect(messageFor(text)).toMatch(/cdk\.json(, |: )/);
    expect(messageFor(text)).toContain(expected);
  });
});
