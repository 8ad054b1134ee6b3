/** Prefix of the exports in the bucket. Each export has its own prefix below it: `exports/2026-11-21T02Z/`. */
export const EXPORTS_PREFIX = 'exports/';
/** Prefix of the charges: the rows of 8x8's log export, in `charges/DAY/SUBACCOUNT.json.gz`. */
export const CHARGES_PREFIX = 'charges/';
/** Prefix of the state and the results of reconciliation. */
export const RECONCILIATION_PREFIX = 'reconciliation/';
/** Prefix of the query results that Athena writes. */
export const RESULTS_PREFIX = 'results/';
/** The prefixes of what is beside the exports. */
export const OTHER_PREFIXES = [CHARGES_PREFIX, RECONCILIATION_PREFIX, RESULTS_PREFIX] as const;

/** Retention of the query results, in days. */
export const RESULTS_RETENTION_DAYS = 7;
