import type { Tally } from './rows.ts';

/** The counts of each kind in each part, as a stacked chart needs them. */
export function crossTabulate(
  tallies: readonly Tally[],
  parts: readonly string[],
  kinds: readonly string[],
): number[][] {
  const counts = new Map(tallies.map(({ part, kind, count }) => [JSON.stringify([part, kind]), count]));
  return kinds.map((kind) => parts.map((part) => counts.get(JSON.stringify([part, kind])) ?? 0));
}

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
