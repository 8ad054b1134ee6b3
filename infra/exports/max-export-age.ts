/** From this age the newest export is too old: exports start every 24 hours, and a large one may take two hours. */
export const MAX_EXPORT_AGE_HOURS = 26;
