import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { loggableId } from '../loggable-id.ts';
import type { Counters } from '../telemetry.ts';
import type { DayTask } from './advance-day.ts';
import { NEW_DAY } from './day-state.ts';
import { advanceDays, type InvocationDependencies } from './invocation.ts';
import type { DayProgress } from './progress.ts';
import type { DayToReconcile } from './reconcile-day.ts';
import type { Result } from './result.ts';
import { dueSince, isOverdue, scheduledDays } from './schedule.ts';
import type { Mode } from './window.ts';

export interface ScheduleDependencies extends InvocationDependencies {
  /** What the schedule does about missing sessions. */
  mode: Mode;
  metrics: Counters;
}

/** How long an invocation begins steps. A step that has begun may take the rest of its 15 minutes. */
const STEPS_MS = 5 * 60_000;

/** Reconciles the days that are due, those first that are due for longest, and measures what is overdue. */
export async function reconcileDue(dependencies: ScheduleDependencies): Promise<DayProgress[]> {
  const { mode, now } = dependencies;
  const time = now();
  const due = ({ day, state }: DayTask) => dueSince(day, state, mode, time) ?? Number.POSITIVE_INFINITY;
  const isToRetry = ({ state }: DayTask) => (state.retryAt ?? '') <= new Date(time).toISOString();
  const tasks = (await scheduledTasks(dependencies))
    .filter((task) => Number.isFinite(due(task)) && isToRetry(task))
    .toSorted((a, b) => due(a) - due(b));
  try {
    const publish = (day: DayToReconcile, found: Result) => publishFound(day, found, dependencies);
    return [...(await advanceDays(tasks, STEPS_MS, publish, dependencies)).values()];
  } finally {
    await measure(dependencies);
  }
}

/** The days of all sub-accounts that the schedule reconciles. */
async function scheduledTasks({
  states,
  subAccountIds,
  mode,
  now,
}: ScheduleDependencies): Promise<DayTask[]> {
  const all = subAccountIds.map(async (subAccountId) => {
    const days = scheduledDays(await states.firstSeen(subAccountId), now());
    const found = await states.read(subAccountId, days);
    return days.map((day, i) => ({
      subAccountId,
      day,
      state: found[i] ?? NEW_DAY,
      mode,
      beyondLimit: false,
    }));
  });
  return (await Promise.all(all)).flat();
}

function publishFound(
  { subAccountId, day }: DayToReconcile,
  { sessions, missing, differing, refusedRows }: Result,
  { metrics, logger }: ScheduleDependencies,
): void {
  metrics.addMetric('ExportedSessions', MetricUnit.Count, sessions);
  metrics.addMetric('MissedSessions', MetricUnit.Count, missing);
  metrics.addMetric('DifferingSessions', MetricUnit.Count, differing);
  metrics.addMetric('RefusedRows', MetricUnit.Count, refusedRows);
  metrics.publishStoredMetrics();
  if (missing + refusedRows === 0) return;
  const details = { subAccountId: loggableId(subAccountId), day, missing, refusedRows };
  logger.warn('The log export has sessions that were not delivered, or unreadable rows', details);
}

async function measure(dependencies: ScheduleDependencies): Promise<void> {
  const { mode, now, logger, metrics } = dependencies;
  const all = await scheduledTasks(dependencies);
  const overdue = all.filter(({ day, state }) => isOverdue(day, state, mode, now()));
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
