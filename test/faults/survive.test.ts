import { expect, it } from 'vitest';
import { assemblyWith } from '../start-stack.ts';
import { isSurvived, survive } from './survive.ts';

const seed = Date.now() % 1_000_000;

/**
 * Every delivery that 8x8 repeats until it is acknowledged is recorded exactly once, although SQS and DynamoDB fail,
 * throttle, respond late or not at all, connections break before and after the effect, functions are killed, visibility
 * timeouts expire during a write, and the table is down for seven receives of a message. This test injects random
 * faults, but makes too few calls for most kills; `npm run test:faults` does the same for longer.
 */
it(`the table has exactly the delivered sessions despite random faults (seed ${seed})`, async () => {
  const outcome = await survive({
    sessions: 20,
    seed,
    progress: () => {},
    assembly: await assemblyWith(),
  });

  const failed = [...outcome.faults].filter(([fault]) => fault !== 'passed on');
  expect(failed.length).toBeGreaterThan(2);
  expect(outcome).toMatchObject({ lost: 0, acknowledgedButMissing: 0, doubled: 0, different: 0 });
  expect(outcome.deadLettersOfOutage).toBe(0);
  expect(outcome.events).toEqual({ missing: 0, unexpected: 0, disordered: 0 });
  expect(isSurvived(outcome)).toBe(true);
});
