/**
 * How every function calls AWS: at most three attempts of at most one second to connect and two to answer, which
 * with the SDK's pauses between them ends within ten seconds. `throwOnRequestTimeout` makes the second limit an
 * error; without it the SDK only warns.
 */
export const clientSettings = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
};
