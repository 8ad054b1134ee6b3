import type { Link } from '../log-export/download.ts';
import type { Job } from '../log-export/job.ts';
import type { LogExport } from '../log-export/log-export.ts';
import { LogExportError, type LogExportFault } from '../log-export/log-export-error.ts';
import { loggableId } from '../loggable-id.ts';
import type { Log } from '../telemetry.ts';
import { type Day, exportPeriod, HOUR_MS } from './day.ts';
import type { DayState, DayStates } from './day-state.ts';
import { keyPart } from './objects.ts';
import { type DayDependencies, reconcileDay } from './reconcile-day.ts';
import { countsOf, type Result } from './result.ts';
import { IMMEDIATE_ATTEMPTS, retryAt } from './schedule.ts';
import type { Mode } from './window.ts';

/** A day of a sub-account that is to be reconciled. */
export interface DayTask {
  subAccountId: string;
  day: Day;
  state: DayState;
  mode: Mode;
  beyondLimit: boolean;
}

/** The progress of a day after a step. */
export type Step =
  | { state: 'done' | 'held'; result: Result }
  /** 8x8 is still making the export, or deliveries wait in a queue: take the next step later, or at once if it `isReady`. */
  | { state: 'waiting'; detail: string; isReady?: true }
  | { state: 'failed'; detail: string };

export interface StepDependencies extends DayDependencies {
  logExport: LogExport;
  states: DayStates;
  /** The age of the oldest message in the queue, in seconds. */
  queueAge: () => Promise<number>;
  /** The sessions that wait in the dead-letter queue; undefined while another reader hides messages. */
  deadLetterSessions: () => Promise<ReadonlySet<string> | undefined>;
  logger: Log;
}

/** 8x8 documents no duration. An export that takes longer is cancelled. */
const LONGEST_JOB_MS = 2 * HOUR_MS;
const LONGEST_PARTS_MS = 24 * HOUR_MS;

/** While older deliveries wait in the queue, a session that is not in the table may be among them. */
const MAX_QUEUE_AGE_SECONDS = 3_600;

/**
 * Takes the next step of a day: starts its export, asks whether it is ready, or reconciles it. The state is saved before
 * and after each step, so that after a crash only the interrupted step is repeated. Never rejects because of 8x8.
 */
export async function advanceDay(task: DayTask, dependencies: StepDependencies): Promise<Step> {
  const failures = task.state.failures + 1;
  try {
    const job = currentJob(task, dependencies.now()) ?? (await startJob(task, dependencies));
    const polled = await dependencies.logExport.poll(task.subAccountId, job.id);
    if (polled.state === 'pending') return await waitFor(task, job, polled.status, dependencies);
    if (polled.state === 'failed') throw new LogExportError('expired', polled.reason);
    if (polled.state === 'gone') throw new LogExportError('expired', '8x8 no longer knows the export');
    return await reconcile(task, job.startedAt, linksOf(polled), failures, dependencies);
  } catch (error) {
    return fail(task, error, failures, dependencies);
  }
}

/** The export that was started lately. An older one lacks what has appeared since. */
function currentJob({ state: { job, parts } }: DayTask, now: number): DayState['job'] {
  // The parts are of one export.
  const maxAge = parts ? LONGEST_PARTS_MS : LONGEST_JOB_MS + HOUR_MS;
  return job && now - Date.parse(job.startedAt) < maxAge ? job : undefined;
}

/** Starts an export. If the function is killed before the state is saved, the next step starts another, which is harmless. */
async function startJob(task: DayTask, { logExport, now, states }: StepDependencies) {
  const startedAt = now();
  const id = await logExport.start(task.subAccountId, exportPeriod(task.day, startedAt));
  const job = { id, startedAt: new Date(startedAt).toISOString() };
  // The parts are of another export.
  const { parts: _, ...others } = task.state;
  await save(task, { ...others, job }, states);
  return job;
}

async function waitFor(
  { subAccountId }: DayTask,
  { id, startedAt }: { id: string; startedAt: string },
  status: string,
  { logExport, now }: StepDependencies,
): Promise<Step> {
  if (now() - Date.parse(startedAt) < LONGEST_JOB_MS)
    return { state: 'waiting', detail: `8x8 is making the export (${status})` };
  // Another one is started in any case.
  await logExport.cancel(subAccountId, id).catch(() => {});
  const hours = LONGEST_JOB_MS / HOUR_MS;
  throw new LogExportError('expired', `8x8 did not complete the export within ${hours} hours`);
}

function linksOf(job: Extract<Job, { state: 'succeeded' | 'empty' }>): Link[] {
  return job.state === 'empty' ? [] : job.links.map((link) => ({ link, expires: job.expires }));
}

async function reconcile(
  task: DayTask,
  exportedAt: string,
  links: readonly Link[],
  failures: number,
  dependencies: StepDependencies,
): Promise<Step> {
  const { queueAge, deadLetterSessions, states, now } = dependencies;
  const age = await queueAge();
  if (age > MAX_QUEUE_AGE_SECONDS) {
    const minutes = Math.round(age / 60);
    return {
      state: 'waiting',
      detail: `deliveries have waited in the queue for ${minutes} minutes, and may contain the missing sessions`,
    };
  }
  const deadLetters = await deadLetterSessions();
  if (!deadLetters)
    return {
      state: 'waiting',
      detail: 'the dead-letter queue is being read, by npx vss-webhook redrive for example',
    };

  // Counts as a failure until it succeeds, so that a day that kills the function does not delay others.
  await save(task, { ...task.state, failures, retryAt: retryAt(failures, now()) }, states);
  const { parts, job, completed } = task.state;
  const reconciled = await reconcileDay({ ...task, exportedAt, links, deadLetters, parts }, dependencies);
  if (reconciled.outcome === 'partly') {
    const { done, of } = reconciled.parts;
    await save(task, { job, completed, failures: 0, parts: reconciled.parts }, states);
    const detail = `${done} of ${of} parts of the missing sessions are recorded`;
    return { state: 'waiting', detail, isReady: true };
  }
  return complete(task, exportedAt, reconciled, dependencies);
}

async function complete(
  task: DayTask,
  at: string,
  { outcome, result }: { outcome: 'done' | 'held'; result: Result },
  { objects, states }: StepDependencies,
): Promise<Step> {
  const { subAccountId, day, mode, state } = task;
  await objects.writeJson(resultKey(task), { subAccountId, day, at, mode, ...result });
  const isOnlyReported = mode === 'report' && state.completed?.mode === 'record';
  const run = { at, mode, isHeld: outcome === 'held', counts: countsOf(result) };
  const completed = isOnlyReported ? state.completed : run;
  // A report leaves the parts that are being recorded as they are.
  const { parts, job } = mode === 'report' && state.parts ? state : {};
  await save(task, { failures: 0, completed, parts, job }, states);
  return { state: outcome, result };
}

/** The object with the result of a day's latest run. */
export function resultKey({ subAccountId, day }: Pick<DayTask, 'subAccountId' | 'day'>): string {
  return `reconciliation/results/${day}/${keyPart(subAccountId)}.json`;
}

/** The faults after which the next attempts read the same export. After all others, a new one is started. */
const RETRY_SAME_JOB: ReadonlySet<LogExportFault> = new Set([
  'access-refused',
  'cut-off',
  'key-refused',
  'stalled',
  'unavailable',
]);

/** The faults that may pass within minutes. */
const TRANSIENT: ReadonlySet<LogExportFault> = new Set(['cut-off', 'expired', 'stalled', 'unavailable']);

async function fail(
  task: DayTask,
  error: unknown,
  failures: number,
  { states, now, logger }: StepDependencies,
): Promise<Step> {
  const { job, parts, completed } = task.state;
  const kind = error instanceof LogExportError ? error.kind : undefined;
  const isLastAttempt = failures % IMMEDIATE_ATTEMPTS === 0;
  // If the file itself is damaged, only another export helps.
  const keepsJob = (kind === undefined || RETRY_SAME_JOB.has(kind)) && !isLastAttempt;
  const state = { completed, failures, retryAt: retryAt(failures, now()) };
  await save(task, keepsJob ? { ...state, job, parts } : state, states);
  const detail = error instanceof Error ? error.message : String(error);
  if (kind !== undefined && TRANSIENT.has(kind) && failures < IMMEDIATE_ATTEMPTS)
    return { state: 'waiting', detail };
  logger.error('A day could not be reconciled with the log export', {
    subAccountId: loggableId(task.subAccountId),
    day: task.day,
    kind,
    detail,
  });
  return { state: 'failed', detail };
}

async function save(task: DayTask, state: DayState, states: DayStates): Promise<void> {
  task.state = state;
  await states.save(task.subAccountId, task.day, state);
}
