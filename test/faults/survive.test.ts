import { expect, inject, it } from 'vitest';
import { isSurvived, survive } from './survive.ts';

const seed = Date.now() % 1_000_000;

/**
 * Whatever fails on the way (SQS and DynamoDB answer with errors, throttle, answer late or not at all, connections
 * break before and after the effect, functions are killed, visibility timeouts run out while a record is written, the table is
 * down for seven receives of a message), what
 * 8x8 delivers until it is acknowledged is recorded, once. Chance decides which of it happens here; `npm run
 * test:faults` does the same for longer.
 */
it(`the table has every session that was delivered, as it was delivered, and nothing else (seed ${seed})`, async () => {
  const outcome = await survive({
    sessions: 40,
    seed,
    progress: () => {},
    assembly: inject('localAssembly').folder,
  });

  const failed = [...outcome.faults].filter(([fault]) => fault !== 'passed on');
  expect(failed.length).toBeGreaterThan(2);
  expect(outcome).toMatchObject({ lost: 0, acknowledgedButMissing: 0, doubled: 0, different: 0 });
  expect(outcome.deadLettersOfOutage).toBe(0);
  expect(isSurvived(outcome)).toBe(true);
});
