import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prettyJson } from '../../../../infra/commands/dead-letters/pretty-json.ts';

it('indents JSON as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 3 }), (value, indentation) => {
      expect(prettyJson(JSON.stringify(value, null, indentation))).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

it.each([
  ['keeps every digit', '{"n":12345678901234567890.10}', '{\n  "n": 12345678901234567890.10\n}'],
  ['keeps a duplicate key', '{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'],
  ['leaves strings unchanged', '["a,b: {}\\"[]"]', '[\n  "a,b: {}\\"[]"\n]'],
  ['leaves text that is not JSON unchanged', '{"a": 1', '{"a": 1'],
])('%s', (_, text, expected) => {
  expect(prettyJson(text)).toBe(expected);
});
