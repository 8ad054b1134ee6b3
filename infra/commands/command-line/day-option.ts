import { UsageError } from './command.ts';

const DAY = 86_400_000;

/**
 * Parses a day: `2026-11-01`, `today`, `yesterday`, or `7d` for the day seven days ago. Relative ones depend on the clock and
 * not on the data, which may be older.
 *
 * @returns The day, such as `2026-11-01`.
 * @throws UsageError
 */
export function dayOption(
  option: string,
  text: string | undefined,
  { timeZone, now = Date.now() }: { timeZone: string; now?: number },
): string | undefined {
  if (text === undefined) return undefined;
  const ago = daysAgo(text);
  if (ago !== undefined) {
    // Swedish dates are those of ISO 8601. The difference of two days does not depend on daylight saving time.
    const today = new Date(now).toLocaleDateString('sv', { timeZone });
    return new Date(Date.parse(today) - ago * DAY).toISOString().slice(0, 10);
  }
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse accepts days such as 30 February.
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(text)) return text;
  throw new UsageError(
    `Invalid --${option} "${text}": expected a day such as 2026-11-01, yesterday, or 7d for seven days ago`,
  );
}

function daysAgo(text: string): number | undefined {
  if (text === 'today') return 0;
  if (text === 'yesterday') return 1;
  return /^\d{1,4}d$/.test(text) ? Number.parseInt(text, 10) : undefined;
}
