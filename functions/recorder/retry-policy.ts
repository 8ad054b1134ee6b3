import { isTransientFault } from './transient-fault.ts';

const SHORTEST_BACKOFF_SECONDS = 60;
const LONGEST_BACKOFF_SECONDS = 3_600;

/** At this receive, or at any later one, a message that fails for an unexpected reason becomes a dead letter. */
export const MAX_UNEXPECTED_RECEIVES = 5;

/** What becomes of a message that failed. */
export type Retry =
  /** It is hidden for so long, then received again. */
  | { outcome: 'back-off'; seconds: number }
  /** It is received again after the queue's visibility timeout. */
  | { outcome: 'retry' }
  /** It is moved to the dead-letter queue. */
  | { outcome: 'give-up' };

/** What becomes of a message that failed with this error at its nth receive. */
export function retryAfter(error: unknown, receives: number): Retry {
  if (isTransientFault(error)) return { outcome: 'back-off', seconds: backoffSeconds(receives) };
  return { outcome: receives >= MAX_UNEXPECTED_RECEIVES ? 'give-up' : 'retry' };
}

/** How long a message is hidden after its nth receive: a minute, doubling up to an hour. */
export function backoffSeconds(receives: number): number {
  return Math.min(LONGEST_BACKOFF_SECONDS, SHORTEST_BACKOFF_SECONDS * 2 ** (receives - 1));
}
