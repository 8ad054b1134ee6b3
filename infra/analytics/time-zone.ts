/** Whether a name is a time zone of the IANA database: `UTC`, or such as `Asia/Singapore`. */
export function isTimeZone(name: string): boolean {
  // Intl also accepts offsets and any case, which Trino does not.
  if (!/^(UTC|[A-Z]\w+(\/[A-Z][\w+-]*)+)$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
