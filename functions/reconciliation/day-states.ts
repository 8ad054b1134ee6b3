import * as v from 'valibot';
import { keyPart, type Objects } from './bucket.ts';
import type { Day } from './day.ts';
import { NO_RESULT, Result } from './result.ts';
import { Mode } from './window.ts';

/** An export that 8x8 is making, or has made, and when it was started: ISO 8601, UTC. */
const Job = v.object({ id: v.string(), startedAt: v.string() });
export type Job = v.InferOutput<typeof Job>;

/** What is stored of a day of a sub-account, so that each step can be repeated after a crash. Times are in ISO 8601, UTC. */
export const DayState = v.object({
  job: v.optional(Job),
  /** Consecutive failures, and the time before which the schedule does not retry. */
  failures: v.optional(v.number(), 0),
  retryAt: v.optional(v.string()),
  /** The last run, and when its export was started; a report does not replace a run that records. */
  completed: v.optional(
    v.object({ at: v.string(), mode: Mode, isHeld: v.boolean(), detail: v.optional(v.string()) }),
  ),
});
export type DayState = v.InferOutput<typeof DayState>;

export const NEW_DAY: DayState = { failures: 0 };

/** A day without a valid state is new: reconciling it again changes nothing that is done. */
const StoredState = v.fallback(DayState, NEW_DAY);

const StoredResult = v.fallback(Result, NO_RESULT);

/** Without a valid time, a sub-account was seen long ago: otherwise its days would never be reconciled. */
const FirstSeen = v.fallback(v.object({ since: v.pipe(v.string(), v.isoTimestamp()) }), {
  since: new Date(0).toISOString(),
});

/** The states of days, kept in one object each, so that concurrent invocations do not overwrite other days. */
export interface DayStates {
  /** When a sub-account was first seen: ISO 8601, UTC. */
  firstSeen(subAccountId: string): Promise<string>;
  /** The states of these days, in the same order. */
  read(subAccountId: string, days: readonly Day[]): Promise<DayState[]>;
  save(subAccountId: string, day: Day, state: DayState): Promise<void>;
  /** The result of a day's latest run; empty if there is none that can be read. */
  readResult(subAccountId: string, day: Day): Promise<Result>;
  saveResult(subAccountId: string, day: Day, at: string, mode: Mode, result: Result): Promise<void>;
}

function resultKey(subAccountId: string, day: Day): string {
  return `reconciliation/results/${day}/${keyPart(subAccountId)}.json`;
}

/** How many objects are read at a time. */
const CONCURRENT_READS = 32;

/** @param now Milliseconds since 1970. */
export function dayStates(objects: Objects, now: () => number): DayStates {
  const keyOf = (subAccountId: string, name: string) =>
    `reconciliation/state/${keyPart(subAccountId)}/${name}.json`;

  return {
    async firstSeen(subAccountId) {
      const key = keyOf(subAccountId, 'first-seen');
      const stored = await objects.readJson(key);
      if (stored !== undefined) return v.parse(FirstSeen, stored).since;
      const since = new Date(now()).toISOString();
      await objects.writeJson(key, { since });
      return since;
    },

    async read(subAccountId, days) {
      const states: DayState[] = [];
      for (let i = 0; i < days.length; i += CONCURRENT_READS) {
        const keys = days.slice(i, i + CONCURRENT_READS).map((day) => keyOf(subAccountId, day));
        const stored = await Promise.all(keys.map((key) => objects.readJson(key)));
        states.push(...stored.map((each) => v.parse(StoredState, each)));
      }
      return states;
    },

    save: (subAccountId, day, state) => objects.writeJson(keyOf(subAccountId, day), state),

    readResult: async (subAccountId, day) =>
      v.parse(StoredResult, await objects.readJson(resultKey(subAccountId, day))),

    saveResult: (subAccountId, day, at, mode, result) =>
      objects.writeJson(resultKey(subAccountId, day), { subAccountId, day, at, mode, ...result }),
  };
}
