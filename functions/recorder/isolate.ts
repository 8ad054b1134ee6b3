import { type BatchMessage, receiveCount } from './batch-message.ts';
import { backoffSeconds, MAX_UNEXPECTED_RECEIVES } from './retry-policy.ts';

/** Two clocks measure how long a message has been in work: Lambda's, and that of SQS. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** A batch, divided into what is recorded now and what is left to another batch. */
export interface Isolation {
  attempted: readonly BatchMessage[];
  released: readonly BatchMessage[];
}

/**
 * Keeps a message that kills the function away from the others. A kill answers nothing, so the whole batch comes back
 * after the visibility timeout, the killer and whoever was with it alike: they are suspects. Where a batch has suspects,
 * half of them are attempted, those with the most receives first, and everything else is released. The killer soon meets
 * nobody, and whoever was dragged along is recorded within a few receives.
 *
 * Half and not one: after a deployment that could not start, every message in the queue is a suspect, and one in ten at
 * a time would use up the receives that the redrive policy grants before a long queue is through.
 */
export function isolateSuspects(messages: readonly BatchMessage[], now: number): Isolation {
  const suspects = messages.filter((message) => isSuspect(message, now)).toSorted(byReceives);
  if (suspects.length === 0) return { attempted: messages, released: [] };
  const attempted = suspects.slice(0, Math.ceil(suspects.length / 2));
  return { attempted, released: messages.filter((message) => !attempted.includes(message)) };
}

/**
 * Whether the function was killed while it had this message: the message has come back sooner than it would have after
 * a back-off from each receive. One that fails for an unexpected reason comes back sooner too, but not so often.
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

/** The most received first; among equals at random, which the receipt handle is: SQS makes another for each receive. */
function byReceives(a: BatchMessage, b: BatchMessage): number {
  return receiveCount(b) - receiveCount(a) || (a.receiptHandle < b.receiptHandle ? -1 : 1);
}
