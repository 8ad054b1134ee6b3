import { setTimeout } from 'node:timers/promises';

/** Resolves at most `perSecond` times a second, at even intervals. The clock is in milliseconds. */
export function rateLimit(
  perSecond: number,
  now: () => number = () => performance.now(),
  pause: (milliseconds: number) => Promise<unknown> = setTimeout,
): () => Promise<void> {
  const interval = 1_000 / perSecond;
  let next = now();
  return async () => {
    const asked = now();
    const turn = Math.max(next, asked);
    next = turn + interval;
    if (turn > asked) await pause(turn - asked);
  };
}
