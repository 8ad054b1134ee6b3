/** Thresholds that the alarms and `npx vss-webhook doctor` share. */

/**
 * From this age the exported data is too old: exports are due every 24 hours, start up to 70 minutes later, and a large
 * one may take two hours.
 */
export const MAX_EXPORT_AGE_HOURS = 28;

/** From this many requests on that API Gateway refuses before the function, per hour, 8x8 may be among the senders. */
export const BLOCKED_REQUESTS = 10;
