import { expect, inject, it } from 'vitest';
import { randomFrom } from '../random.ts';
import { deliverAll } from './deliver-all.ts';
import { hostileBodies } from './hostile.ts';

/** `npm run test:fuzz` does the same for longer. */
it('the webhook follows its HTTP contract for hostile bodies', async () => {
  const seed = Date.now() % 1_000_000;
  const { table, complaints } = await deliverAll(
    hostileBodies(randomFrom(seed)),
    150,
    () => {},
    inject('localAssembly').folder,
  );

  expect([seed, complaints]).toEqual([seed, []]);
  expect(new Map(table).get('deliveries')).toBe(150);
});
