import type { Export } from './export.ts';
import type { Notice } from './notice.ts';

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
export function newestOf(exports: readonly Export[], notice: Notice): Newest {
  const full = exports.findLast(({ type }) => type === 'full');
  const increments = exports.filter(({ type, time }) => type === 'incremental' && time > (full?.time ?? ''));
  let known = full?.time;
  if (known === undefined)
    notice('Found no full export: only the records in the incremental exports are known.', {
      data: 'sessions',
      to: increments[0]?.from,
      text: 'There are only incremental exports, and no full one. Sessions that have not changed since are missing, so the numbers of this time are too low.',
    });
  for (const { from, time } of increments) {
    if (known !== undefined && from !== undefined && from > known)
      notice(`No export contains the changes from ${known} to ${from}: they are missing.`, {
        data: 'sessions',
        from: known,
        to: from,
        text: 'No export contains the changes of this time. Sessions that were recorded then are missing, so its numbers are too low; those that changed then have an older status.',
      });
    known = time;
  }
  return { full, increments, time: known ?? '' };
}
