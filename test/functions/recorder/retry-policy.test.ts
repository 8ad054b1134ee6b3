import { describe, expect, it } from 'vitest';
import { DeadlineExceededError } from '../../../functions/client-settings.ts';
import { backoffSeconds, retryAfter } from '../../../functions/recorder/retry-policy.ts';
import { MAX_RECEIVE_COUNT } from '../../../infra/constructs/queues.ts';

const HOUR = 3_600;

describe('the back-off', () => {
  it('is a minute after the first receive, and doubles up to an hour', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 20].map(backoffSeconds)).toEqual([
      60,
      120,
      240,
      480,
      960,
      1_920,
      HOUR,
      HOUR,
      HOUR,
    ]);
  });

  it('adds up to more than twelve hours before SQS dead-letters a message', () => {
    const waits = Array.from({ length: MAX_RECEIVE_COUNT - 1 }, (_, i) => backoffSeconds(i + 1));
    const total = waits.reduce((sum, wait) => sum + wait, 0);

    expect(total).toBeGreaterThan(12 * HOUR);
    expect(Math.floor(total / HOUR)).toBe(14);
  });
});

describe('a failed message', () => {
  it('backs off after a transient fault, regardless of its number of receives', () => {
    const fault = new DeadlineExceededError();

    expect(retryAfter(fault, 1)).toEqual({ outcome: 'back-off', seconds: 60 });
    expect(retryAfter(fault, 19)).toEqual({ outcome: 'back-off', seconds: HOUR });
  });

  it('is retried after an unexpected error, and given up at the fifth receive', () => {
    const error = new TypeError('a bug');

    expect([1, 2, 3, 4, 5, 6].map((receives) => retryAfter(error, receives).outcome)).toEqual([
      'retry',
      'retry',
      'retry',
      'retry',
      'give-up',
      'give-up',
    ]);
  });
});
