/**
 * Formats the time since a moment in the largest unit (s, m, h, d) in which it is at least 1, such as `3m`.
 *
 * @param since Milliseconds since 1970.
 */
export function age(since: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
