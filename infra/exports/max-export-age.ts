/** When the newest complete export is too old: one is requested every 24 hours, and a large one may take two. */
export const MAX_EXPORT_AGE_HOURS = 26;
