import { closest, distance } from 'fastest-levenshtein';

/** A question that names the entry a mistyped name resembles, such as ` Did you mean "query"?`; empty if none does. */
export function didYouMean(typed: string, names: readonly string[]): string {
  const nearest = closest(typed.toLowerCase(), names);
  // A third of the letters may be wrong: with more, the suggestion is a guess.
  const isAlike =
    nearest !== undefined && distance(typed.toLowerCase(), nearest) <= Math.ceil(typed.length / 3);
  return isAlike ? ` Did you mean "${nearest}"?` : '';
}
