import { expect, it } from 'vitest';
import { randomFrom } from '../random.ts';
import { hostileBodies } from './hostile.ts';
import { parseAll } from './parse-all.ts';

/** `npm run test:fuzz` does the same for longer, and is strict with time. */
it('whatever is read takes less than a second, is taken for JSON only if it is, and leaves nothing behind', () => {
  const seed = Date.now() % 1_000_000;
  const { table, complaints } = parseAll(hostileBodies(randomFrom(seed)), 2_000, 1_000, () => {});

  expect([seed, complaints]).toEqual([seed, []]);
  expect(new Map(table).get('bodies read')).toBe(2_000);
});
