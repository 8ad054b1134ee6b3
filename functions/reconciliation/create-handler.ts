import { MetricUnit } from '@aws-lambda-powertools/metrics';
import * as v from 'valibot';
import { loggableId } from '../loggable-id.ts';
import type { Counters } from '../telemetry.ts';
import { type DayTask, resultKey, type Step } from './advance-day.ts';
import { daysBetween } from './day.ts';
import type { Mode } from './day-state.ts';
import type { DayProgress } from './progress.ts';
import { Result } from './result.ts';
import { type RunDependencies, runTasks } from './run-tasks.ts';
import { dueSince, isOverdue, scheduledDays } from './schedule.ts';
import { isFresh, Window } from './window.ts';

/** What an invocation needs of 8x8: its API key is read each time, so that a new one takes effect immediately. */
type Connection = Pick<RunDependencies, 'logExport' | 'download'>;

interface Dependencies extends Omit<RunDependencies, keyof Connection | 'onFound'> {
  connect: () => Promise<Connection>;
  subAccountIds: readonly string[];
  /** What the schedule does about missing sessions. */
  mode: Mode;
  metrics: Counters;
}

/** How long an invocation begins steps. A step that has begun may take the rest of its 15 minutes. */
const SCHEDULED_MS = 5 * 60_000;
/** Short, because a person waits for the progress. */
const REQUESTED_MS = 45_000;

const Event = v.object({ window: v.optional(Window) });

/**
 * Reconciles days with 8x8's log export: those that are due, or the window that `npm run reconcile` requests. Resumes
 * where the last invocation stopped.
 */
export function createHandler({ connect, subAccountIds, mode, metrics, ...dependencies }: Dependencies) {
  const { states, objects, now, logger } = dependencies;

  async function run(tasks: readonly DayTask[], ms: number, onFound: RunDependencies['onFound']) {
    if (tasks.length === 0) return new Map<DayTask, Step>();
    const stopAt = now() + ms;
    return runTasks(tasks, stopAt, { ...dependencies, ...(await connect()), onFound });
  }

  async function reconcileDue(): Promise<DayProgress[]> {
    const time = now();
    const due = ({ day, state }: DayTask) => dueSince(day, state, mode, time) ?? Number.POSITIVE_INFINITY;
    const isToRetry = ({ state }: DayTask) => (state.retryAt ?? '') <= new Date(time).toISOString();
    const tasks = (await scheduled(time))
      .filter((task) => Number.isFinite(due(task)) && isToRetry(task))
      .toSorted((a, b) => due(a) - due(b));
    try {
      const steps = await run(tasks, SCHEDULED_MS, ({ subAccountId, day }, found) => {
        const { sessions, missing, differing, refusedRows } = found;
        metrics.addMetric('ExportedSessions', MetricUnit.Count, sessions);
        metrics.addMetric('MissedSessions', MetricUnit.Count, missing);
        metrics.addMetric('DifferingSessions', MetricUnit.Count, differing);
        metrics.addMetric('RefusedRows', MetricUnit.Count, refusedRows);
        metrics.publishStoredMetrics();
        if (missing + refusedRows > 0) {
          const details = { subAccountId: loggableId(subAccountId), day, missing, refusedRows };
          logger.warn('The log export has sessions that were not delivered, or unreadable rows', details);
        }
      });
      return [...steps].map(([task, step]) => progressOf(task, step));
    } finally {
      await measure();
    }
  }

  /** The days of all sub-accounts that the schedule reconciles. */
  async function scheduled(time: number): Promise<DayTask[]> {
    const all = subAccountIds.map(async (subAccountId) => {
      const days = scheduledDays(await states.firstSeen(subAccountId), time);
      const found = await states.read(subAccountId, days);
      return found.map((state, i) => ({
        subAccountId,
        day: days[i] ?? '',
        state,
        mode,
        beyondLimit: false,
      }));
    });
    return (await Promise.all(all)).flat();
  }

  async function measure(): Promise<void> {
    const time = now();
    const all = await scheduled(time);
    const overdue = all.filter(({ day, state }) => isOverdue(day, state, mode, time));
    const held = all.filter(({ state }) => state.completed?.isHeld);
    metrics.addMetric('ReconciliationOverdue', MetricUnit.Count, overdue.length);
    metrics.addMetric('ReconciliationHeld', MetricUnit.Count, held.length);
    metrics.publishStoredMetrics();
    for (const { subAccountId, day, state } of held)
      logger.warn('More sessions are missing than are recorded automatically', {
        subAccountId: loggableId(subAccountId),
        day,
        missing: state.completed?.counts.missing,
      });
  }

  async function reconcileWindow(window: Window): Promise<DayProgress[]> {
    const { subAccountId, from, to, mode, beyondLimit, skipped } = window;
    if (!subAccountIds.includes(subAccountId))
      throw new Error(`${subAccountId} is not a sub-account of this stage: ${subAccountIds.join(', ')}`);
    const days = daysBetween(from, to).filter((day) => !skipped.includes(day));
    const found = await states.read(subAccountId, days);
    const all = found.map((state, i) => ({ subAccountId, day: days[i] ?? '', state, mode, beyondLimit }));
    const tasks = all
      .filter(({ day, state }) => !isFresh(day, state, window, now()))
      // A day that killed the function must not be the first again.
      .toSorted((a, b) => a.state.failures - b.state.failures);
    const steps = await run(tasks, REQUESTED_MS, () => {});
    return Promise.all(
      all.map(async (task) => {
        const step = steps.get(task);
        return step ? progressOf(task, step) : storedProgress(task);
      }),
    );
  }

  /** The progress of a day that was reconciled before. */
  async function storedProgress(task: DayTask): Promise<DayProgress> {
    const stored = v.safeParse(Result, await objects.readJson(resultKey(task)));
    const state = task.state.completed?.isHeld ? 'held' : 'done';
    return { ...progressOf(task, { state }), ...(stored.success && { result: shortened(stored.output) }) };
  }

  return async (event: unknown): Promise<DayProgress[]> => {
    const { window } = v.parse(Event, event);
    return window ? reconcileWindow(window) : reconcileDue();
  };
}

function progressOf(
  { subAccountId, day, state: { completed } }: DayTask,
  step: Step | Pick<DayProgress, 'state'>,
): DayProgress {
  return {
    subAccountId,
    day,
    ...step,
    ...(completed && isEnded(step) && { completedAt: completed.at, counts: completed.counts }),
    ...('result' in step && { result: shortened(step.result) }),
  };
}

function isEnded({ state }: Pick<DayProgress, 'state'>): boolean {
  return state === 'done' || state === 'held';
}

/** Lambda limits a response to 6 MB, and a window may have many days. The bucket has longer lists. */
export const MAX_RETURNED = 20;

function shortened(result: Result): Result {
  const { refused, missingSessions, reconstructedSessions, differingSessions } = result;
  return {
    ...result,
    refused: refused.slice(0, MAX_RETURNED),
    missingSessions: missingSessions.slice(0, MAX_RETURNED),
    reconstructedSessions: reconstructedSessions.slice(0, MAX_RETURNED),
    differingSessions: differingSessions.slice(0, MAX_RETURNED),
  };
}
