import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { DeadlineExceededError } from '../client-settings.ts';
import { ContendedRecordError } from './record-session.ts';

/** Faults of the network that the SDK does not count as transient. */
const NETWORK_FAULTS: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPROTO',
]);

/** Real errors nest a few causes; a limit also ends a cycle. */
const MAX_CAUSES = 10;

/**
 * Whether an error is the fault of a service, or of the network before it, that may pass by itself: throttled, failed,
 * unreachable or late. What AWS refuses (access denied, no such table, an invalid request) is not, nor is a bug.
 */
export function isTransientFault(error: unknown, causes = MAX_CAUSES): boolean {
  if (!isSdkError(error)) return false;
  return (
    error instanceof DeadlineExceededError ||
    error instanceof ContendedRecordError ||
    ('code' in error && NETWORK_FAULTS.has(error.code)) ||
    error.$metadata?.httpStatusCode === 408 ||
    error.name === 'ExpiredTokenException' ||
    // SQS answers 400 when KMS, which encrypts for it, is throttled; the SDK does not count that as throttling.
    error.name === 'KmsThrottled' ||
    isThrottlingError(error) ||
    isTransientError(error) ||
    isServerError(error) ||
    (causes > 0 && isTransientFault(error.cause, causes - 1))
  );
}

/** Whether the SDK's classification can look at it: that takes every cause for an Error. */
function isSdkError(error: unknown): error is Parameters<typeof isTransientError>[0] {
  return error instanceof Error && (error.cause === undefined || error.cause instanceof Error);
}
