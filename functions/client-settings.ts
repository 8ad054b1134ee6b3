/**
 * How every function calls AWS: three attempts, each with a second to connect and two to be answered. Without
 * `throwOnRequestTimeout` the SDK only warns when an answer is late; `socketTimeout` ends one that has begun and stops.
 */
export const clientSettings = {
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    throwOnRequestTimeout: true,
    socketTimeout: 2_000,
  },
};

/** Ends a call with all its attempts after nine seconds, whatever pauses the service asks for between them. */
export function deadline(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(9_000) };
}
