/** After how many seconds Lambda ends an invocation of the functions that deliveries pass through. */
export const TIMEOUT_SECONDS = {
  /** Three attempts at SQS of three seconds each, and the pauses between them (functions/client-settings.ts). */
  webhook: 10,
  recorder: 30,
} as const;
