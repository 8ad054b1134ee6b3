import { MetricUnit } from '@aws-lambda-powertools/metrics';
import * as v from 'valibot';
import { loggableId } from '../loggable-id.ts';
import type { Counters } from '../telemetry.ts';
import type { DayTask, Step } from './advance-day.ts';
import { daysBetween } from './day.ts';
import { type Mode, NEW_DAY } from './day-state.ts';
import type { DayProgress } from './progress.ts';
import type { Result } from './result.ts';
import { type RunDependencies, runTasks } from './run-tasks.ts';
import { isDue, isOverdue, scheduledDays } from './schedule.ts';
import { isAsRequested, Window } from './window.ts';

/** What an invocation needs of 8x8: its API key is read each time, so that a new one takes effect immediately. */
type Connection = Pick<RunDependencies, 'logExport' | 'download'>;

interface Dependencies extends Omit<RunDependencies, keyof Connection | 'onFound'> {
  connect: () => Promise<Connection>;
  subAccountIds: readonly string[];
  /** What the schedule does about missing sessions. */
  mode: Mode;
  metrics: Counters;
}

/** How long an invocation goes on with the next steps. A step that has begun may take the rest of its 15 minutes. */
const SCHEDULED_MS = 5 * 60_000;
/** Short, because a person waits for the progress. */
const REQUESTED_MS = 45_000;

const Event = v.object({ window: v.optional(Window) });

/**
 * Reconciles days with 8x8's log export: those that are due, or the window that `npm run reconcile` requests. Goes on
 * where the last invocation stopped.
 */
export function createHandler({ connect, subAccountIds, mode, metrics, ...dependencies }: Dependencies) {
  const { states, now, logger } = dependencies;

  async function run(tasks: readonly DayTask[], ms: number, onFound: RunDependencies['onFound']) {
    if (tasks.length === 0) return new Map<DayTask, Step>();
    const stopAt = now() + ms;
    return runTasks(tasks, stopAt, { ...dependencies, ...(await connect()), onFound });
  }

  async function reconcileDue(): Promise<DayProgress[]> {
    const time = now();
    const tasks = (await scheduled(time)).filter(
      ({ day, state }) => isDue(day, state, time) && (state.retryAt ?? '') <= new Date(time).toISOString(),
    );
    try {
      const steps = await run(tasks, SCHEDULED_MS, ({ missing, differing, refusedRows }) => {
        metrics.addMetric('MissedSessions', MetricUnit.Count, missing);
        metrics.addMetric('DifferingSessions', MetricUnit.Count, differing);
        metrics.addMetric('RefusedRows', MetricUnit.Count, refusedRows);
        metrics.publishStoredMetrics();
      });
      return [...steps].map(progressOf);
    } finally {
      await measure();
    }
  }

  /** The days of all sub-accounts that the schedule reconciles. */
  async function scheduled(time: number): Promise<DayTask[]> {
    const all = [];
    for (const subAccountId of subAccountIds) {
      const { since, days } = await states.read(subAccountId);
      for (const day of scheduledDays(since, time))
        all.push({ subAccountId, day, state: days[day] ?? NEW_DAY, mode, beyondLimit: false });
    }
    return all;
  }

  async function measure(): Promise<void> {
    const time = now();
    const all = await scheduled(time);
    const overdue = all.filter(({ day, state }) => isOverdue(day, state, time));
    const held = all.filter(({ state }) => state.completed?.isHeld);
    metrics.addMetric('ReconciliationOverdue', MetricUnit.Count, overdue.length);
    metrics.addMetric('ReconciliationHeld', MetricUnit.Count, held.length);
    metrics.publishStoredMetrics();
    for (const { subAccountId, day, state } of held)
      logger.warn('More sessions are missing than are recorded without being told', {
        subAccountId: loggableId(subAccountId),
        day,
        missing: state.completed?.counts.missing,
      });
  }

  async function reconcileWindow(window: Window): Promise<DayProgress[]> {
    const requested = window.subAccountIds ?? subAccountIds;
    const unknown = requested.filter((id) => !subAccountIds.includes(id));
    if (unknown.length > 0) throw new Error(`Not a sub-account of this stage: ${unknown.join(', ')}`);
    const all: DayTask[] = [];
    for (const subAccountId of requested) {
      const { days } = await states.read(subAccountId);
      for (const day of daysBetween(window.from, window.to)) {
        const common = { mode: window.mode ?? mode, beyondLimit: window.beyondLimit };
        all.push({ subAccountId, day, state: days[day] ?? NEW_DAY, ...common });
      }
    }
    const tasks = all.filter((task) => !isAsRequested(task.state, task.mode, window));
    const steps = await run(tasks, REQUESTED_MS, () => {});
    return all.map((task) => progressOf([task, steps.get(task) ?? DONE_BEFORE]));
  }

  return async (event: unknown): Promise<DayProgress[]> => {
    const { window } = v.parse(Event, event);
    return window ? reconcileWindow(window) : reconcileDue();
  };
}

const DONE_BEFORE = { state: 'done' } as const;

function progressOf([{ subAccountId, day, state }, step]: [DayTask, Step | typeof DONE_BEFORE]): DayProgress {
  const { completed } = state;
  return {
    subAccountId,
    day,
    ...step,
    ...(step === DONE_BEFORE && completed?.isHeld && { state: 'held' }),
    ...(completed && { completedAt: completed.at, counts: completed.counts }),
    ...('result' in step && { result: shortened(step.result) }),
  };
}

/** Lambda limits a response to 6 MB, and a window may have many days. The bucket has longer lists. */
export const MAX_RETURNED = 20;

function shortened(result: Result): Result {
  const lists = ['refused', 'missingSessions', 'reconstructedSessions', 'differingSessions'] as const;
  const shorter = lists.map((name) => [name, result[name].slice(0, MAX_RETURNED)]);
  return { ...result, ...Object.fromEntries(shorter) };
}
