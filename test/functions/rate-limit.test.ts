import { describe, expect, it } from 'vitest';
import { rateLimit } from '../../functions/rate-limit.ts';

describe('rateLimit', () => {
  it('spaces four requests per second evenly, and does not catch up after idle time', async () => {
    let time = 0;
    const passed: number[] = [];
    const limit = rateLimit(
      4,
      () => time,
      async (milliseconds) => {
        time += milliseconds;
      },
    );
    for (let i = 0; i < 5; i++) await limit().then(() => passed.push(time));
    time += 10_000;
    for (let i = 0; i < 2; i++) await limit().then(() => passed.push(time));

    expect(passed).toEqual([0, 250, 500, 750, 1_000, 11_000, 11_250]);
  });
});
