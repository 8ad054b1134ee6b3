import { expect, it } from 'vitest';
import { randomFrom } from '../random.ts';
import { hostileBodies } from './hostile.ts';
import { parseAll } from './parse-all.ts';

/** `npm run test:fuzz` does the same for longer, with a limit on the parsing time of each body. */
it('hostile bodies are classified correctly as JSON or not, and leak no memory', () => {
  const seed = Date.now() % 1_000_000;
  const { table, complaints } = parseAll(hostileBodies(randomFrom(seed)), 200, { isTimed: false }, () => {});

  expect([seed, complaints]).toEqual([seed, []]);
  expect(new Map(table).get('bodies parsed')).toBe(200);
});
