/** Timeouts of the functions that handle deliveries. */
export const TIMEOUT_SECONDS = {
  /** Allows three calls to SQS of three seconds each, and the delays between them (functions/client-settings.ts). */
  webhook: 10,
  recorder: 30,
} as const;
