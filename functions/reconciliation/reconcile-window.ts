import * as v from 'valibot';
import { type DayTask, resultKey } from './advance-day.ts';
import { daysBetween } from './day.ts';
import { NEW_DAY } from './day-state.ts';
import { advanceDays, type InvocationDependencies, progressOf, shortened } from './invocation.ts';
import type { DayProgress } from './progress.ts';
import { Result } from './result.ts';
import { isFresh, type Window } from './window.ts';

/** How long an invocation begins steps. Short, because a person waits for the progress. */
const STEPS_MS = 45_000;

/** Reconciles the days of a window that are not reconciled yet, without metrics. Returns the progress of all its days. */
export async function reconcileWindow(
  window: Window,
  dependencies: InvocationDependencies,
): Promise<DayProgress[]> {
  const { subAccountId, from, to, mode, beyondLimit, skipped } = window;
  const { subAccountIds, states, now } = dependencies;
  if (!subAccountIds.includes(subAccountId))
    throw new Error(`${subAccountId} is not a sub-account of this stage: ${subAccountIds.join(', ')}`);
  const days = daysBetween(from, to).filter((day) => !skipped.includes(day));
  const found = await states.read(subAccountId, days);
  const all = days.map((day, i) => ({ subAccountId, day, state: found[i] ?? NEW_DAY, mode, beyondLimit }));
  const tasks = all
    .filter(({ day, state }) => !isFresh(day, state, window, now()))
    // A day that killed the function must not be the first again.
    .toSorted((a, b) => a.state.failures - b.state.failures);
  const advanced = await advanceDays(tasks, STEPS_MS, () => {}, dependencies);
  return Promise.all(all.map((task) => advanced.get(task) ?? storedProgress(task, dependencies)));
}

/** The progress of a day that was reconciled before. */
async function storedProgress(task: DayTask, { objects }: InvocationDependencies): Promise<DayProgress> {
  const stored = v.safeParse(Result, await objects.readJson(resultKey(task)));
  const state = task.state.completed?.isHeld ? 'held' : 'done';
  return { ...progressOf(task, { state }), ...(stored.success && { result: shortened(stored.output) }) };
}
