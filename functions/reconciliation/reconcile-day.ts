import { compareExport, type ExportDependencies, type ExportedDay } from './compare-export.ts';
import type { Mode } from './day-state.ts';
import { recordMissing, type Send } from './record-missing.ts';
import type { Result } from './result.ts';

/**
 * The most missing sessions of a day that are recorded without being told. More are an outage, or a mistake, such as the
 * key of another account, which a person should look at first.
 */
export const LIMIT = 10_000;

export interface DayDependencies extends ExportDependencies {
  send: Send;
  /** Called before anything is recorded, so that a crash cannot hide that sessions were missing. */
  onFound: (found: Result) => void;
}

export interface DayToReconcile extends ExportedDay {
  mode: Mode;
  /** Whether to record more than `LIMIT` missing sessions. */
  beyondLimit: boolean;
}

/**
 * Compares an exported day with the table, and records what is missing. Idempotent: a repetition records what is still
 * missing.
 *
 * @returns Whether the day is held, because more than `LIMIT` sessions are missing.
 */
export async function reconcileDay(
  day: DayToReconcile,
  { send, onFound, ...dependencies }: DayDependencies,
): Promise<{ result: Result; isHeld: boolean }> {
  let compared = await compareExport(day, dependencies, LIMIT);
  const { result } = compared;
  onFound(result);
  const isHeld = result.missing > LIMIT && !day.beyondLimit;
  if (day.mode === 'report' || isHeld) return { result, isHeld };
  const handled = new Set<string>();
  for (;;) {
    const sent = await recordMissing(day, compared.candidates, send);
    result.recorded += sent.recorded;
    result.updated += sent.updated;
    result.unusable += sent.unusable;
    if (compared.collected.length < LIMIT) return { result, isHeld };
    // There is no memory for the rows of all missing sessions, so the export is read once more for the next ones.
    for (const sessionId of compared.collected) handled.add(sessionId);
    compared = await compareExport(day, dependencies, LIMIT, handled);
  }
}
