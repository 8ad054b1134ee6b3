import { setTimeout } from 'node:timers/promises';

/** Returns a function that resolves at most `perSecond` times per second, evenly spaced. `now` is in milliseconds. */
export function rateLimit(
  perSecond: number,
  now: () => number = () => performance.now(),
  pause: (milliseconds: number) => Promise<unknown> = setTimeout,
): () => Promise<void> {
  const interval = 1_000 / perSecond;
  let next = now();
  return async () => {
    const requestedAt = now();
    const startsAt = Math.max(next, requestedAt);
    next = startsAt + interval;
    if (startsAt > requestedAt) await pause(startsAt - requestedAt);
  };
}
