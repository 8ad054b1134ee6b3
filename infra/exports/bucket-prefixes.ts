/** Prefix of the exports in the bucket. Each export has its own prefix below it: `exports/2026-11-21T02:00:00Z/`. */
export const EXPORTS_PREFIX = 'exports/';
/** Prefix of the query results that Athena writes. */
export const RESULTS_PREFIX = 'results/';
/** Prefix of the rows of 8x8's log export, one object per day and sub-account: `charges/2026-11-24/SUBACCOUNT.json.gz`. */
export const CHARGES_PREFIX = 'charges/';
/** Prefix of what the reconciliation remembers: its state, and the result of each day. */
export const RECONCILIATION_PREFIX = 'reconciliation/';

/** Retention of the query results, in days. */
export const RESULTS_RETENTION_DAYS = 7;
