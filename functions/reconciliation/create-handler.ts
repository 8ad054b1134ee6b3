import * as v from 'valibot';
import type { DayProgress } from './progress.ts';
import { reconcileDue, type ScheduleDependencies } from './reconcile-due.ts';
import { reconcileWindow } from './reconcile-window.ts';
import { Window } from './window.ts';

const Event = v.object({ window: v.optional(Window) });

/**
 * Reconciles days with 8x8's log export: those that are due, or the window that `npx vss-webhook reconcile` requests. Resumes
 * where the last invocation stopped.
 */
export function createHandler(dependencies: ScheduleDependencies) {
  return async (event: unknown): Promise<DayProgress[]> => {
    const { window } = v.parse(Event, event);
    return window ? reconcileWindow(window, dependencies) : reconcileDue(dependencies);
  };
}
