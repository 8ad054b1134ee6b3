import { isTransientFault } from './transient-fault.ts';

const SHORTEST_BACKOFF_SECONDS = 60;
const LONGEST_BACKOFF_SECONDS = 3_600;

/** From this receive on, a message that fails for an unexpected reason becomes a dead letter. */
export const MAX_UNEXPECTED_RECEIVES = 5;

/** What to do with a message that failed. */
export type Retry =
  /** Hide it for this long before it is received again. */
  | { outcome: 'back-off'; seconds: number }
  /** Let it be received again after the queue's visibility timeout. */
  | { outcome: 'retry' }
  /** Move it to the dead-letter queue. */
  | { outcome: 'give-up' };

/** Decides what to do with a message that failed with this error at its nth receive. */
export function retryAfter(error: unknown, receives: number): Retry {
  if (isTransientFault(error)) return { outcome: 'back-off', seconds: backoffSeconds(receives) };
  return { outcome: receives >= MAX_UNEXPECTED_RECEIVES ? 'give-up' : 'retry' };
}

/** How long to hide a message after its nth receive: one minute, doubling up to one hour. */
export function backoffSeconds(receives: number): number {
  return Math.min(LONGEST_BACKOFF_SECONDS, SHORTEST_BACKOFF_SECONDS * 2 ** (receives - 1));
}
