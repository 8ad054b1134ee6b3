import { MetricUnit } from '@aws-lambda-powertools/metrics';
import * as v from 'valibot';
import { loggableId } from '../loggable-id.ts';
import type { Counters } from '../telemetry.ts';
import { daysBetween } from './day.ts';
import { type DayStates, NEW_DAY } from './day-states.ts';
import { advance, type DayDependencies, type DayTask, dayTask } from './reconcile-day.ts';
import { type DayProgress, type Result, shortened } from './result.ts';
import { dueSince, isOverdue, scheduledDays } from './schedule.ts';
import { isFresh, type Mode, Window } from './window.ts';

/** What an invocation needs of 8x8: its API key is read each time, so that a new one takes effect immediately. */
type Connection = Pick<DayDependencies, 'logExport' | 'download'>;

export interface InvocationDependencies
  extends Omit<DayDependencies, keyof Connection | 'onFound' | 'recordUntil'> {
  connect: () => Promise<Connection>;
  subAccountIds: readonly string[];
  /** What the schedule does about missing sessions. */
  mode: Mode;
  pause: (milliseconds: number) => Promise<unknown>;
  metrics: Counters;
}

/** How long steps are begun: shorter for a window, because a person waits for the progress. */
const DUE_STEPS_MS = 5 * 60_000;
const WINDOW_STEPS_MS = 45_000;

/** A step may take longer. Another round of recording is begun for ten of the fifteen minutes that Lambda allows. */
const RECORDING_MS = 10 * 60_000;

const Event = v.object({ window: v.optional(Window) });

/**
 * Reconciles days with 8x8's log export: those that are due, or the window that `npx vss-webhook reconcile` requests.
 * Resumes where the last invocation stopped.
 */
export function createHandler(dependencies: InvocationDependencies) {
  return async (event: unknown): Promise<DayProgress[]> => {
    const { window } = v.parse(Event, event);
    return window ? reconcileWindow(window, dependencies) : reconcileDue(dependencies);
  };
}

/** Reconciles the days that are due, those first that are due for longest, and measures what is overdue. */
async function reconcileDue(dependencies: InvocationDependencies): Promise<DayProgress[]> {
  const { mode, now } = dependencies;
  const time = now();
  const due = ({ day, stored }: DayTask) => dueSince(day, stored, mode, time) ?? Number.POSITIVE_INFINITY;
  const isToRetry = ({ stored }: DayTask) => (stored.retryAt ?? '') <= new Date(time).toISOString();
  const tasks = (await scheduledTasks(dependencies))
    .filter((task) => Number.isFinite(due(task)) && isToRetry(task))
    .toSorted((a, b) => due(a) - due(b));
  const publish = (task: DayTask, found: Result) => publishFound(task, found, dependencies);
  try {
    const advanced = await advanceAll(tasks, DUE_STEPS_MS, publish, dependencies);
    for (const task of advanced) publishRecorded(task, dependencies);
    return advanced.map(progressOf);
  } finally {
    await measure(dependencies);
  }
}

/** The days of all sub-accounts that the schedule reconciles. */
async function scheduledTasks(dependencies: InvocationDependencies): Promise<DayTask[]> {
  const { states, subAccountIds, mode, now } = dependencies;
  const all = subAccountIds.map(async (subAccountId) => {
    const days = scheduledDays(await states.firstSeen(subAccountId), now());
    return storedTasks({ subAccountId, mode, beyondLimit: false }, days, dependencies);
  });
  return (await Promise.all(all)).flat();
}

async function storedTasks(
  request: Pick<DayTask, 'subAccountId' | 'mode' | 'beyondLimit'>,
  days: readonly string[],
  { states, now }: InvocationDependencies,
): Promise<DayTask[]> {
  const stored = await states.read(request.subAccountId, days);
  return days.map((day, i) => dayTask({ ...request, day, stored: stored[i] ?? NEW_DAY }, now()));
}

/** Reconciles the days of a window that are not reconciled yet, without metrics. Returns the progress of all its days. */
async function reconcileWindow(window: Window, dependencies: InvocationDependencies): Promise<DayProgress[]> {
  const { subAccountId, from, to, mode, beyondLimit, skipped } = window;
  const { subAccountIds, states, now } = dependencies;
  if (!subAccountIds.includes(subAccountId))
    throw new Error(`${subAccountId} is not a sub-account of this stage: ${subAccountIds.join(', ')}`);
  const days = daysBetween(from, to).filter((day) => !skipped.includes(day));
  const all = await storedTasks({ subAccountId, mode, beyondLimit }, days, dependencies);
  const fresh = all.filter(({ day, stored }) => isFresh(day, stored, window, now()));
  // A day that killed the function must not be the first again.
  const tasks = all
    .filter((task) => !fresh.includes(task))
    .toSorted((a, b) => a.stored.failures - b.stored.failures);
  const advanced = await advanceAll(tasks, WINDOW_STEPS_MS, () => {}, dependencies);
  const earlier = await Promise.all(fresh.map((task) => withEarlierResult(task, states)));
  return [...advanced, ...earlier].toSorted((a, b) => (a.day < b.day ? -1 : 1)).map(progressOf);
}

async function withEarlierResult(task: DayTask, states: DayStates): Promise<DayTask> {
  const { subAccountId, day, stored } = task;
  const state = stored.completed?.isHeld ? 'held' : 'done';
  const result = await states.readResult(subAccountId, day);
  return { ...task, progress: { state, result, detail: stored.completed?.detail } };
}

/** How many exports 8x8 makes for us at a time. It documents no limit. */
const CONCURRENT_JOBS = 100;

/** The pause between two rounds of polls: two seconds, then longer, up to a minute. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Advances days, several exports at a time, until all are reconciled or have failed, or until the time limit. The next
 * invocation resumes the remaining ones. Does not call 8x8 if there are none.
 */
async function advanceAll(
  tasks: readonly DayTask[],
  milliseconds: number,
  onFound: DayDependencies['onFound'],
  { connect, pause, ...dependencies }: InvocationDependencies,
): Promise<DayTask[]> {
  if (tasks.length === 0) return [];
  const { now } = dependencies;
  const [stopAt, recordUntil] = [now() + milliseconds, now() + RECORDING_MS];
  const deadLetterSessions = readOnce(dependencies.deadLetterSessions);
  const step = { ...dependencies, ...(await connect()), deadLetterSessions, onFound, recordUntil };
  const all = [...tasks];
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    const open = [...all.entries()].filter(([, task]) => isOpen(task)).slice(0, CONCURRENT_JOBS);
    if (open.length === 0) return all;
    let hasProgressed = false;
    for (const [i, task] of open) {
      if (now() >= stopAt) return all;
      const next = await advance(task, step);
      all[i] = next;
      hasProgressed ||= task.progress.state === 'new' || !isOpen(next);
    }
    pauseMs = hasProgressed ? FIRST_PAUSE_MS : Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    if (!all.some(isOpen) || now() + pauseMs >= stopAt) return all;
    await pause(pauseMs);
  }
}

function isOpen({ progress: { state } }: DayTask): boolean {
  return state === 'new' || state === 'exporting';
}

/** Reads once, because reading hides messages, which SQS counts as hidden for up to a minute. */
function readOnce<T>(read: () => Promise<T | undefined>): () => Promise<T | undefined> {
  let found: T | undefined;
  return async () => {
    found ??= await read();
    return found;
  };
}

function progressOf({ subAccountId, day, progress }: DayTask): DayProgress {
  const { state, detail } = progress;
  return {
    subAccountId,
    day,
    state: state === 'new' || state === 'exporting' ? 'waiting' : state,
    ...(detail !== undefined && { detail }),
    ...('result' in progress && { result: shortened(progress.result) }),
  };
}

function publishFound(
  { subAccountId, day }: DayTask,
  { sessions, missing, differing, foreign, refusedRows }: Result,
  { metrics, logger }: InvocationDependencies,
): void {
  metrics.addMetric('ExportedSessions', MetricUnit.Count, sessions);
  metrics.addMetric('MissedSessions', MetricUnit.Count, missing);
  metrics.addMetric('DifferingSessions', MetricUnit.Count, differing);
  metrics.addMetric('RefusedRows', MetricUnit.Count, refusedRows);
  metrics.publishStoredMetrics();
  if (missing + foreign + refusedRows === 0) return;
  const details = { subAccountId: loggableId(subAccountId), day, missing, foreign, refusedRows };
  logger.warn('The log export has sessions that were not delivered, or unreadable rows', details);
}

/** Incomplete summaries are counted here, because the recorder counts only those that were delivered. */
function publishRecorded(
  { subAccountId, day, progress }: DayTask,
  dependencies: InvocationDependencies,
): void {
  if (!('result' in progress)) return;
  const { incomplete, keptRows, fewerCalls } = progress.result;
  if (incomplete > 0) dependencies.metrics.addMetric('IncompleteSummaries', MetricUnit.Count, incomplete);
  if (keptRows + fewerCalls === 0) return;
  const details = { subAccountId: loggableId(subAccountId), day, keptRows, fewerCalls };
  dependencies.logger.warn('The log export has less than an earlier one, of which more is kept', details);
}

async function measure(dependencies: InvocationDependencies): Promise<void> {
  const { mode, now, logger, metrics } = dependencies;
  const all = await scheduledTasks(dependencies);
  const overdue = all.filter(({ day, stored }) => isOverdue(day, stored, mode, now()));
  const held = all.filter(({ stored }) => stored.completed?.isHeld);
  metrics.addMetric('ReconciliationOverdue', MetricUnit.Count, overdue.length);
  metrics.addMetric('ReconciliationHeld', MetricUnit.Count, held.length);
  metrics.publishStoredMetrics();
  for (const { subAccountId, day, stored } of held)
    logger.warn('A day is held until a person decides', {
      subAccountId: loggableId(subAccountId),
      day,
      detail: stored.completed?.detail,
    });
}
