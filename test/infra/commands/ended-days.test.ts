import { describe, expect, it } from 'vitest';
import type { DayProgress } from '../../../functions/reconciliation/result.ts';
import { endedDays } from '../../../infra/commands/reconcile/ended-days.ts';

const progress = (day: string, state: DayProgress['state']): DayProgress => ({
  subAccountId: 'acme',
  day,
  state,
});

/** Invokes with these answers, one after the other. Returns the days that ended, and those that each invocation skipped. */
async function follow(answers: readonly DayProgress[][], interrupted = new AbortController()) {
  const skipped: string[][] = [];
  const waited: number[] = [];
  const left = answers.values();
  const days = endedDays(
    async (ended) => {
      skipped.push([...ended]);
      return left.next().value ?? [];
    },
    interrupted.signal,
    (waiting) => {
      waited.push(waiting.length);
      if (skipped.length === answers.length && waiting.length > 0) interrupted.abort();
    },
    async () => {},
  );
  const ended: string[] = [];
  for await (const { day, state } of days) ended.push(`${day} ${state}`);
  return { ended, skipped, waited };
}

describe('the days of a window', () => {
  it('are requested until none is waiting, without those that have ended', async () => {
    expect(
      await follow([
        [progress('24', 'done'), progress('25', 'waiting'), progress('26', 'failed')],
        [progress('25', 'waiting')],
        [progress('25', 'held')],
      ]),
    ).toEqual({
      ended: ['24 done', '26 failed', '25 held'],
      skipped: [[], ['24', '26'], ['24', '26']],
      waited: [1, 1, 0],
    });
  });

  it('are no longer requested after an interruption', async () => {
    const { ended, skipped } = await follow([[progress('24', 'done'), progress('25', 'waiting')]]);

    expect(ended).toEqual(['24 done']);
    expect(skipped.length).toBe(1);
  });
});
