/** Prefix of the exports in the bucket. Each export has its own prefix below it: `exports/2026-11-21T02:00:00Z/`. */
export const EXPORTS_PREFIX = 'exports/';
/** Prefix of the query results that Athena writes. */
export const RESULTS_PREFIX = 'results/';

/** Retention of the query results, in days. */
export const RESULTS_RETENTION_DAYS = 7;
