import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { DeadlineExceededError } from '../client-settings.ts';
import { ContendedRecordError } from './record-session.ts';

/** Network errors that the SDK does not classify as transient. */
const NETWORK_FAULTS: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPROTO',
]);

/** Real errors have few nested causes, and the limit also ends cycles. */
const MAX_CAUSES = 10;

/**
 * Whether an error is transient: a service throttled, failed, was unreachable or too slow, or the network failed. An
 * error is not transient if AWS rejects the request (access denied, no such table, invalid request), or if it is a bug.
 */
export function isTransientFault(error: unknown, causes = MAX_CAUSES): boolean {
  if (!isClassifiable(error)) return false;
  return (
    error instanceof DeadlineExceededError ||
    error instanceof ContendedRecordError ||
    ('code' in error && NETWORK_FAULTS.has(error.code)) ||
    error.$metadata?.httpStatusCode === 408 ||
    error.name === 'ExpiredTokenException' ||
    // SQS answers 400 when KMS throttles its encryption; the SDK does not classify that as throttling.
    error.name === 'KmsThrottled' ||
    isThrottlingError(error) ||
    isTransientError(error) ||
    isServerError(error) ||
    (causes > 0 && isTransientFault(error.cause, causes - 1))
  );
}

/** Whether the SDK's functions can classify an error: they assume that its cause is an Error. */
function isClassifiable(error: unknown): error is Parameters<typeof isTransientError>[0] {
  return error instanceof Error && (error.cause === undefined || error.cause instanceof Error);
}
