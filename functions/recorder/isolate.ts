import { type BatchMessage, receiveCount } from './batch-message.ts';
import { backoffSeconds, MAX_UNEXPECTED_RECEIVES } from './retry-policy.ts';

/** The time since the first receive is measured with two clocks: those of Lambda and SQS. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** A batch, divided into the messages to attempt now and those to leave to another batch. */
export interface Isolation {
  attempted: readonly BatchMessage[];
  released: readonly BatchMessage[];
}

/**
 * Isolates a message that kills the function. A killed function reports nothing, so its whole batch returns after the
 * visibility timeout, and all messages in it are suspects. If a batch contains suspects, half of them are attempted, the
 * most received first, and all other messages are released. Within a few receives, the message that kills the function
 * is attempted alone, and the others are recorded.
 *
 * Half, not one: after a deployment whose function cannot start, every message in the queue is a suspect. One per batch
 * of ten would exhaust the receives that the redrive policy allows before a long queue is drained.
 */
export function isolateSuspects(messages: readonly BatchMessage[], now: number): Isolation {
  const suspects = messages.filter((message) => isSuspect(message, now)).toSorted(byReceives);
  if (suspects.length === 0) return { attempted: messages, released: [] };
  const attempted = suspects.slice(0, Math.ceil(suspects.length / 2));
  return { attempted, released: messages.filter((message) => !attempted.includes(message)) };
}

/**
 * Whether the function was killed while it had this message: the message has returned sooner than a back-off after each
 * receive allows. A message with unexpected errors also returns sooner, but not after `MAX_UNEXPECTED_RECEIVES`.
 */
function isSuspect(message: BatchMessage, now: number): boolean {
  const receives = receiveCount(message);
  if (receives <= MAX_UNEXPECTED_RECEIVES) return false;
  const elapsedSeconds = (now - Number(message.attributes.ApproximateFirstReceiveTimestamp)) / 1_000;
  return elapsedSeconds + CLOCK_TOLERANCE_SECONDS < totalBackoffSeconds(receives - 1);
}

function totalBackoffSeconds(receives: number): number {
  let total = 0;
  for (let n = 1; n <= receives; n++) total += backoffSeconds(n);
  return total;
}

/** The most received first. Ties are in random order, by receipt handle, which SQS creates anew for each receive. */
function byReceives(a: BatchMessage, b: BatchMessage): number {
  return receiveCount(b) - receiveCount(a) || (a.receiptHandle < b.receiptHandle ? -1 : 1);
}
