import type { Export } from './export.ts';

/** The exports that make up the newest state of the table: a full one, and the incremental ones after it. */
export interface Newest {
  full: Export | undefined;
  increments: readonly Export[];
  /** The time of that state (ISO 8601). */
  time: string;
}

/**
 * Selects the exports that make up the newest state of the table.
 *
 * @param notice Called with a message for each gap.
 */
export function newestOf(exports: readonly Export[], notice: (text: string) => void): Newest {
  const full = exports.findLast(({ type }) => type === 'full');
  const increments = exports.filter(({ type, time }) => type === 'incremental' && time > (full?.time ?? ''));
  let known = full?.time;
  if (known === undefined)
    notice('Found no full export: only the records in the incremental exports are known.');
  for (const { from, time } of increments) {
    if (known !== undefined && from !== undefined && from > known)
      notice(`No export contains the changes from ${known} to ${from}: they are missing.`);
    known = time;
  }
  return { full, increments, time: known ?? '' };
}
