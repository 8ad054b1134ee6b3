import type { Link } from '../log-export/download.ts';
import type { Job } from '../log-export/job.ts';
import type { LogExport } from '../log-export/log-export.ts';
import { LogExportError, type LogExportFault } from '../log-export/log-export-error.ts';
import type { Log } from '../telemetry.ts';
import { type Day, exportPeriod, HOUR_MS } from './day.ts';
import type { DayState, DayStates, Mode } from './day-state.ts';
import { keyPart } from './objects.ts';
import { type DayDependencies, reconcileDay } from './reconcile-day.ts';
import { countsOf, type Result } from './result.ts';
import { retryAt } from './schedule.ts';

/** A day of a sub-account that is to be reconciled. */
export interface DayTask {
  subAccountId: string;
  day: Day;
  state: DayState;
  mode: Mode;
  beyondLimit: boolean;
}

/** How far a day is after a step. */
export type Step =
  | { state: 'done' | 'held'; result: Result }
  /** 8x8 is still making the export, or deliveries wait in the queue: take the next step later. */
  | { state: 'waiting'; detail: string }
  | { state: 'failed'; detail: string };

export interface StepDependencies extends DayDependencies {
  logExport: LogExport;
  states: DayStates;
  /** The age of the oldest message in the queue, in seconds. */
  queueAge: () => Promise<number>;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
}

/** 8x8 documents no duration. An export that takes longer is cancelled. */
const LONGEST_JOB_MS = 2 * HOUR_MS;

/** While older deliveries wait in the queue, a session that is not in the table may be among them. */
const MAX_QUEUE_AGE_SECONDS = 3_600;

/** So often a step is repeated at once after a fault that may pass. Then it is retried after hours. */
const MAX_IMMEDIATE_FAILURES = 3;

/**
 * Takes the next step of a day: starts its export, asks whether it is ready, or reconciles it. The state is saved before
 * and after each step, so that a crash at any point costs at most the repetition of one step. Never rejects because of
 * 8x8.
 */
export async function advanceDay(task: DayTask, dependencies: StepDependencies): Promise<Step> {
  const failures = task.state.failures + 1;
  try {
    const { logExport, now } = dependencies;
    const { subAccountId } = task;
    const job = task.state.job ?? (await startJob(task, dependencies));
    const polled = await logExport.poll(subAccountId, job.id);
    if (polled.state === 'pending') {
      if (now() - Date.parse(job.startedAt) < LONGEST_JOB_MS)
        return { state: 'waiting', detail: `8x8 is making the export (${polled.status})` };
      await logExport.cancel(subAccountId, job.id);
      throw new LogExportError(
        'expired',
        `8x8 did not complete the export within ${LONGEST_JOB_MS / HOUR_MS} hours`,
      );
    }
    if (polled.state === 'failed') throw new LogExportError('expired', polled.reason);
    if (polled.state === 'gone') throw new LogExportError('expired', '8x8 no longer knows the export');
    return await reconcile(task, linksOf(polled), failures, dependencies);
  } catch (error) {
    return fail(task, error, failures, dependencies);
  }
}

/** Starts an export. If the function is killed before it is saved, the next step starts another: 8x8 charges for none. */
async function startJob(task: DayTask, { logExport, now, ...rest }: StepDependencies) {
  const startedAt = now();
  const id = await logExport.start(task.subAccountId, exportPeriod(task.day, startedAt));
  const job = { id, startedAt: new Date(startedAt).toISOString() };
  await save(task, { ...task.state, job }, rest);
  return job;
}

function linksOf(job: Extract<Job, { state: 'succeeded' | 'empty' }>): Link[] {
  return job.state === 'empty' ? [] : job.links.map((link) => ({ link, expires: job.expires }));
}

async function reconcile(
  task: DayTask,
  links: readonly Link[],
  failures: number,
  dependencies: StepDependencies,
): Promise<Step> {
  const { queueAge, now } = dependencies;
  const age = await queueAge();
  if (age > MAX_QUEUE_AGE_SECONDS)
    return {
      state: 'waiting',
      detail: `deliveries have waited in the queue for ${Math.round(age / 60)} minutes, and may contain the missing sessions`,
    };
  const { job, ...others } = task.state;
  const exportedAt = job?.startedAt ?? new Date(now()).toISOString();
  // Counts as a failure until it succeeds, so that a day that kills the function delays no other.
  await save(task, { ...task.state, failures, retryAt: retryAt(failures, now()) }, dependencies);
  const { result, isHeld } = await reconcileDay({ ...task, exportedAt, links }, dependencies);
  const completed = {
    at: new Date(now()).toISOString(),
    mode: task.mode,
    isHeld,
    counts: countsOf(result),
  };
  const { subAccountId, day } = task;
  await dependencies.objects.writeJson(`reconciliation/results/${day}/${keyPart(subAccountId)}.json`, {
    subAccountId,
    day,
    ...completed,
    ...result,
  });
  await save(task, { ...others, failures: 0, retryAt: undefined, completed }, dependencies);
  return { state: isHeld ? 'held' : 'done', result };
}

/** The faults after which the same export is read again. After all others, a new one is started. */
const KEEPS_JOB: ReadonlySet<LogExportFault> = new Set([
  'access-refused',
  'cut-off',
  'key-refused',
  'stalled',
  'unavailable',
]);

/** The faults that may pass within minutes. */
const PASSES: ReadonlySet<LogExportFault> = new Set(['cut-off', 'expired', 'stalled', 'unavailable']);

async function fail(
  task: DayTask,
  error: unknown,
  failures: number,
  { states, now, logger }: StepDependencies,
): Promise<Step> {
  const { job, ...others } = task.state;
  const kind = error instanceof LogExportError ? error.kind : undefined;
  const keptJob = kind === undefined || KEEPS_JOB.has(kind) ? job : undefined;
  await save(task, { ...others, job: keptJob, failures, retryAt: retryAt(failures, now()) }, { states });
  const detail = error instanceof Error ? error.message : String(error);
  if (kind !== undefined && PASSES.has(kind) && failures < MAX_IMMEDIATE_FAILURES)
    return { state: 'waiting', detail };
  const { subAccountId, day } = task;
  logger.error('A day could not be reconciled with the log export', { subAccountId, day, kind, detail });
  return { state: 'failed', detail };
}

async function save(
  task: DayTask,
  state: DayState,
  { states }: Pick<StepDependencies, 'states'>,
): Promise<void> {
  task.state = state;
  await states.save(task.subAccountId, task.day, state);
}
