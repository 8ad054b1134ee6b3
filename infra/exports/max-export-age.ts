/**
 * From this age the exported data is too old: exports are due every 24 hours, start up to 70 minutes later, and a large
 * one may take two hours.
 */
export const MAX_EXPORT_AGE_HOURS = 28;
