/**
 * How every function calls AWS: three attempts, each with a second to connect and two to be answered. Without
 * `throwOnRequestTimeout` the SDK only warns when an answer is late; `socketTimeout` ends one that has begun and stops.
 * `cacheMiddleware` saves a twentieth of the processor's time of a delivery, as nothing changes a client's middleware.
 */
export const clientSettings = {
  maxAttempts: 3,
  cacheMiddleware: true,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    throwOnRequestTimeout: true,
    socketTimeout: 2_000,
  },
};

const MOST_MS = 9_000;

/** A call to AWS that was not answered within its deadline, all its attempts included. */
export class DeadlineExceededError extends Error {
  override name = 'DeadlineExceededError';
}

/**
 * Waits nine seconds for a call with all its attempts, whatever pauses the service asks for between them; it may still
 * take effect after that. Not with an AbortSignal: an SDK that is given options with a call does not use its cache.
 *
 * @throws DeadlineExceededError when it takes longer.
 */
export async function withDeadline<T>(call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new DeadlineExceededError(`No success within ${MOST_MS} ms`)),
    MOST_MS,
  );
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
