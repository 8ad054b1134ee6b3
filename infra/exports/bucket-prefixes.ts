/** Where exports are in the bucket: each under a prefix of its own, `exports/2026-11-21T02:00:00Z/`. */
export const EXPORTS_PREFIX = 'exports/';
/** Where Athena puts the results of queries. */
export const RESULTS_PREFIX = 'results/';

/** After how many days what is under `RESULTS_PREFIX` is deleted. */
export const RESULTS_RETENTION_DAYS = 7;
