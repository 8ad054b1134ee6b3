import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prettyJson } from '../../../../infra/commands/dead-letters/pretty-json.ts';

it('breaks JSON into lines as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 3 }), (value, indentation) => {
      expect(prettyJson(JSON.stringify(value, null, indentation))).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

it.each([
  ['keeps every digit', '{"n":12345678901234567890.10}', '{\n  "n": 12345678901234567890.10\n}'],
  ['keeps a key that comes twice', '{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'],
  ['changes no string', '["a,b: {}\\"[]"]', '[\n  "a,b: {}\\"[]"\n]'],
  ['leaves other text as it is', '{"a": 1', '{"a": 1'],
])('%s', (_, text, expected) => {
  expect(prettyJson(text)).toBe(expected);
});
