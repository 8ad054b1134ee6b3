import { expect, it } from 'vitest';
import { randomFrom } from '../random.ts';
import { assemblyWith } from '../start-stack.ts';
import { deliverAll } from './deliver-all.ts';
import { hostileBodies } from './hostile.ts';

/** The largest bodies cost half a second of CPU each. parse-all.test.ts parses them. */
const MAX_BYTES = 100_000;
const COUNT = 100;

/** `npm run test:fuzz` does the same for longer, and with bodies of all sizes. */
it('the webhook follows its HTTP contract for hostile bodies', async () => {
  const seed = Date.now() % 1_000_000;
  const bodies = hostileBodies(randomFrom(seed)).filter(({ length }) => length < MAX_BYTES);

  const { table, complaints } = await deliverAll(bodies, COUNT, () => {}, await assemblyWith());

  expect([seed, complaints]).toEqual([seed, []]);
  expect(new Map(table).get('deliveries')).toBe(COUNT);
});
