import { expect, it } from 'vitest';
import { isSurvived, survive } from './survive.ts';

/**
 * Whatever fails on the way (SQS and DynamoDB answer with errors, throttle, answer late or not at all, connections
 * break before and after the effect, functions are killed, visibility timeouts run out while a record is written), what
 * 8x8 delivers until it is acknowledged is recorded, once. `npm run test:faults` does the same for longer.
 */
it('the table has every session that was delivered, as it was delivered, and nothing else', async () => {
  const seed = Date.now() % 1_000_000;
  const outcome = await survive({ sessions: 40, seed, progress: () => {} });

  const failed = [...outcome.faults]
    .filter(([fault]) => fault !== 'passed on')
    .reduce((sum, [, count]) => sum + count, 0);
  expect(failed).toBeGreaterThan(5);
  expect([seed, outcome]).toEqual([
    seed,
    expect.objectContaining({ lost: 0, acknowledgedButMissing: 0, doubled: 0, different: 0 }),
  ]);
  expect(isSurvived(outcome)).toBe(true);
}, 180_000);
