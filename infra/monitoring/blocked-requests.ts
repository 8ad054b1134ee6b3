/** Requests per hour that API Gateway refuses before the function, from which on 8x8 may be among the senders. */
export const BLOCKED_REQUESTS = 10;
