import * as v from 'valibot';
import type { Day } from './day.ts';
import { keyPart, type Objects } from './objects.ts';
import { Counts, Result } from './result.ts';
import { Mode } from './window.ts';

/** The progress of one day of a sub-account. Times are in ISO 8601, UTC. */
const DayState = v.object({
  /** The export that 8x8 is making, or has made. */
  job: v.optional(v.object({ id: v.string(), startedAt: v.string() })),
  /** Consecutive failures, and the time before which the schedule does not retry. */
  failures: v.optional(v.number(), 0),
  retryAt: v.optional(v.string()),
  /** If more sessions are missing than fit into memory: how many parts of the export are recorded, and the result so far. */
  parts: v.optional(v.object({ done: v.number(), of: v.number(), result: Result })),
  /**
   * The last run, and when its export was started; a report does not replace a run that records. A day is held if more
   * sessions are missing than are recorded automatically.
   */
  completed: v.optional(v.object({ at: v.string(), mode: Mode, isHeld: v.boolean(), counts: Counts })),
});
export type DayState = v.InferOutput<typeof DayState>;

export const NEW_DAY: DayState = { failures: 0 };

/** A day without a valid state is new: reconciling it again changes nothing that is done. */
const StoredState = v.fallback(DayState, NEW_DAY);

const FirstSeen = v.object({ since: v.string() });

/** The states of days, kept in one object each, so that concurrent invocations do not overwrite other days. */
export interface DayStates {
  /** When a sub-account was first seen: ISO 8601, UTC. */
  firstSeen(subAccountId: string): Promise<string>;
  /** The states of these days, in the same order. */
  read(subAccountId: string, days: readonly Day[]): Promise<DayState[]>;
  save(subAccountId: string, day: Day, state: DayState): Promise<void>;
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
        const some = days.slice(i, i + CONCURRENT_READS);
        states.push(
          ...(await Promise.all(
            some.map(async (day) => v.parse(StoredState, await objects.readJson(keyOf(subAccountId, day)))),
          )),
        );
      }
      return states;
    },

    save: (subAccountId, day, state) => objects.writeJson(keyOf(subAccountId, day), state),
  };
}
