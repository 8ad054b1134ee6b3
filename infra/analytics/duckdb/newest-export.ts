import type { Export } from './export-folder.ts';

/** What the newest state of the table is made of: a full export, and the incremental ones since. */
export interface Newest {
  full: Export | undefined;
  increments: readonly Export[];
  /** The time of that state (ISO 8601). */
  time: string;
}

/**
 * Chooses them.
 *
 * @param notice Is told what is missing.
 */
export function newestOf(exports: readonly Export[], notice: (text: string) => void): Newest {
  const full = exports.findLast(({ type }) => type === 'full');
  const increments = exports.filter(({ type, time }) => type === 'incremental' && time > (full?.time ?? ''));
  let known = full?.time;
  if (known === undefined)
    notice('There is no full export: only what was changed in the incremental ones is shown.');
  for (const { from, time } of increments) {
    if (known !== undefined && from !== undefined && from > known)
      notice(`What changed from ${known} to ${from} is missing: there is no export of it.`);
    known = time;
  }
  return { full, increments, time: known ?? '' };
}
