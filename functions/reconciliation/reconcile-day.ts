import { compareExport, type ExportDependencies, type ExportedDay } from './compare-export.ts';
import { recordMissing, type Send, type Sent } from './record-missing.ts';
import type { Result } from './result.ts';
import { LIMIT, type Mode } from './window.ts';

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
  result: Result;
}

/** What a pass over the export led to. */
export type Reconciled =
  | { outcome: 'done'; result: Result }
  /** More than `LIMIT` sessions are missing, and none was recorded. */
  | { outcome: 'held'; result: Result }
  /** There are too many sessions without a record for one pass: they are recorded part by part. */
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
  const isAllowed = beyondLimit || (day.parts?.result.missing ?? 0) <= LIMIT;
  const parts = mode === 'record' && isAllowed ? day.parts : undefined;
  const part = parts && { index: parts.done, of: parts.of };
  const { result, candidates } = await compareExport(day, dependencies, deadLetters, LIMIT, part);
  if (!parts) {
    onFound(day, result);
    if (mode === 'report') return { outcome: 'done', result };
    if (result.missing > LIMIT && !beyondLimit) return { outcome: 'held', result };
  }
  const found = parts?.result ?? result;
  if (result.missing > candidates.filter(({ isMissing }) => isMissing).length)
    return { outcome: 'partly', parts: { done: 0, of: numberOfParts(found, parts), result: found } };
  const sent = await recordMissing(day, candidates, send);
  const updated = withSent(found, sent);
  const done = (parts?.done ?? 0) + 1;
  if (parts && done < parts.of) return { outcome: 'partly', parts: { ...parts, done, result: updated } };
  return { outcome: 'done', result: updated };
}

/**
 * A part should have half as many sessions without a record as fit into memory. If one does not fit, the number of parts is
 * doubled.
 */
function numberOfParts(
  { missing, late, expired, deadLettered }: Result,
  previous: Parts | undefined,
): number {
  if (previous) return 2 * previous.of;
  return Math.ceil((2 * (missing + late + expired + deadLettered)) / LIMIT);
}

function withSent(result: Result, { recorded, updated, unusable }: Sent): Result {
  return {
    ...result,
    recorded: result.recorded + recorded,
    updated: result.updated + updated,
    unusable: result.unusable + unusable,
  };
}
