import { compareExport, type ExportDependencies, type ExportedDay } from './compare-export.ts';
import type { Mode } from './day-state.ts';
import { recordMissing, type Send, type Sent } from './record-missing.ts';
import type { Counts, Result } from './result.ts';

/**
 * The most missing sessions of a day that are recorded automatically. More are an outage, or a mistake, such as the key
 * of another account, which a person should look at first.
 */
export const LIMIT = 10_000;

export interface DayDependencies extends ExportDependencies {
  send: Send;
  /** Called before anything is recorded, so that a crash cannot hide that sessions were missing. */
  onFound: (day: DayToReconcile, found: Result) => void;
}

export interface DayToReconcile extends ExportedDay {
  mode: Mode;
  /** Whether to record more than `LIMIT` missing sessions. */
  beyondLimit: boolean;
  /** The sessions that wait in the dead-letter queue. */
  deadLetters: ReadonlySet<string>;
  /** The parts that are recorded already, if there are too many missing sessions for one pass. */
  parts: Parts | undefined;
}

/** The progress of a day whose missing sessions do not fit into memory, and what was found and recorded so far. */
export interface Parts {
  done: number;
  of: number;
  counts: Counts;
}

/** What a pass over the export led to. */
export type Reconciled =
  | { outcome: 'done'; result: Result }
  /** More than `LIMIT` sessions are missing, and none was recorded. */
  | { outcome: 'held'; result: Result }
  /** More than `LIMIT` sessions are missing: they are recorded part by part. */
  | { outcome: 'partly'; parts: Parts };

/**
 * Compares an exported day with the table, and records what is missing. Idempotent: a repetition records what is still
 * missing.
 */
export async function reconcileDay(
  day: DayToReconcile,
  { send, onFound, ...dependencies }: DayDependencies,
): Promise<Reconciled> {
  const { mode, beyondLimit, deadLetters } = day;
  const parts = mode === 'record' ? day.parts : undefined;
  const part = parts && { index: parts.done, of: parts.of };
  const { result, candidates } = await compareExport(day, dependencies, deadLetters, LIMIT, part);
  if (!parts) {
    onFound(day, result);
    if (mode === 'report') return { outcome: 'done', result };
    if (result.missing > LIMIT) {
      if (!beyondLimit) return { outcome: 'held', result };
      // A part has about half as many missing sessions as fit.
      const of = Math.ceil((2 * result.missing) / LIMIT);
      return { outcome: 'partly', parts: { done: 0, of, counts: result } };
    }
  }
  const sent = await recordMissing(day, candidates, send);
  if (!parts) return { outcome: 'done', result: { ...result, ...sent } };
  const counts = withSent(parts.counts, sent);
  if (parts.done + 1 < parts.of)
    return { outcome: 'partly', parts: { ...parts, done: parts.done + 1, counts } };
  return { outcome: 'done', result: { ...result, ...counts } };
}

function withSent(counts: Counts, { recorded, updated, unusable }: Sent): Counts {
  return {
    ...counts,
    recorded: counts.recorded + recorded,
    updated: counts.updated + updated,
    unusable: counts.unusable + unusable,
  };
}
