import * as v from 'valibot';
import type { Day } from './day.ts';
import { keyPart, type Objects } from './objects.ts';
import { Counts } from './result.ts';

/** Whether missing sessions are recorded, or only reported. */
export const Mode = v.picklist(['record', 'report']);
export type Mode = v.InferOutput<typeof Mode>;

/** How far the reconciliation of one day of a sub-account is. Times are in ISO 8601, UTC. */
const DayState = v.object({
  /** The export that 8x8 is making, or has made. */
  job: v.optional(v.object({ id: v.string(), startedAt: v.string() })),
  /** Consecutive failures, and the time before which the schedule does not retry. */
  failures: v.optional(v.number(), 0),
  retryAt: v.optional(v.string()),
  /** The last run. It is held if more sessions are missing than are recorded without being told. */
  completed: v.optional(v.object({ at: v.string(), mode: Mode, isHeld: v.boolean(), counts: Counts })),
});
export type DayState = v.InferOutput<typeof DayState>;

export const NEW_DAY: DayState = { failures: 0 };

const SubAccountState = v.object({
  /** When the sub-account was first seen. */
  since: v.string(),
  days: v.record(v.string(), DayState),
});
export type SubAccountState = v.InferOutput<typeof SubAccountState>;

/** The states of all days that are in progress or were reconciled lately, kept in one object per sub-account. */
export interface DayStates {
  read(subAccountId: string): Promise<SubAccountState>;
  save(subAccountId: string, day: Day, state: DayState): Promise<void>;
}

/** The most days that are kept. The oldest are forgotten first: to reconcile them once more changes nothing. */
const MAX_DAYS = 500;

/** @param now Milliseconds since 1970. */
export function dayStates(objects: Objects, now: () => number): DayStates {
  const keyOf = (subAccountId: string) => `reconciliation/state/${keyPart(subAccountId)}.json`;

  async function read(subAccountId: string): Promise<SubAccountState> {
    const key = keyOf(subAccountId);
    const stored = await objects.readJson(key);
    if (stored !== undefined) return v.parse(SubAccountState, stored);
    const state = { since: new Date(now()).toISOString(), days: {} };
    await objects.writeJson(key, state);
    return state;
  }

  return {
    read,
    async save(subAccountId, day, state) {
      // Reads again, because `npm run reconcile` may have saved another day in the meantime.
      const { since, days } = await read(subAccountId);
      const kept = Object.entries({ ...days, [day]: state })
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .slice(-MAX_DAYS);
      await objects.writeJson(keyOf(subAccountId), { since, days: Object.fromEntries(kept) });
    },
  };
}
