import type { DownloadedFiles, Link } from '../log-export/download.ts';
import type { LogExport } from '../log-export/log-export.ts';
import { LogExportError, type LogExportFault } from '../log-export/log-export-error.ts';
import { readRows } from '../log-export/read-rows.ts';
import { loggableId } from '../loggable-id.ts';
import type { Log } from '../telemetry.ts';
import type { Objects } from './bucket.ts';
import { chargesFile } from './charges-file.ts';
import { type Comparison, compare } from './comparison.ts';
import { DAY_MS, type Day, exportPeriod, HOUR_MS, plausiblePeriod } from './day.ts';
import type { DayState, DayStates, Job } from './day-states.ts';
import { readSessions } from './exported-sessions.ts';
import type { RecordedSessions } from './recorded-sessions.ts';
import { type Recording, record, type Send } from './recording.ts';
import { NO_RESULT, type Result } from './result.ts';
import { IMMEDIATE_ATTEMPTS, retryAt } from './schedule.ts';
import { LIMIT, type Mode } from './window.ts';

/** Where a day is in this invocation, and so which step is next. */
export type Progress =
  /** Start an export. */
  | { state: 'new'; detail: string }
  /** Ask 8x8 for the export, and reconcile the day if it is complete. */
  | { state: 'exporting'; job: Job; detail: string }
  /** `held`: a person has to decide. `done` has a detail if a run that records would be held. */
  | { state: 'done' | 'held'; result: Result; detail: string | undefined }
  | { state: 'failed'; detail: string };

/** A day of a sub-account that is to be reconciled. */
export interface DayTask {
  subAccountId: string;
  day: Day;
  mode: Mode;
  /** Whether to record what the brakes hold. */
  beyondLimit: boolean;
  stored: DayState;
  progress: Progress;
}

export interface DayDependencies {
  logExport: LogExport;
  download: (links: readonly Link[]) => Promise<DownloadedFiles>;
  objects: Objects;
  states: DayStates;
  lookUp: RecordedSessions;
  /** How long a record is kept after its last write, in days; undefined if forever. */
  retentionDays: number | undefined;
  /** The age of the oldest message in the queue, in seconds. */
  queueAge: () => Promise<number>;
  /** The number of deliveries that the webhook accepted in a period. */
  acceptedDeliveries: (from: Date, to: Date) => Promise<number>;
  /** The sessions that wait in the dead-letter queue; undefined while another reader hides messages. */
  deadLetterSessions: () => Promise<ReadonlySet<string> | undefined>;
  send: Send;
  /** Called before anything is recorded, so that a crash cannot hide that sessions were missing. */
  onFound: (task: DayTask, found: Result) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Until when rounds of recording are begun, in milliseconds since 1970. */
  recordUntil: number;
  logger: Log;
}

/** 8x8 documents no duration. After this, another export is started. */
const LONGEST_JOB_MS = 2 * HOUR_MS;

/** While older deliveries wait in the queue, a session that is not in the table may be among them. */
const MAX_QUEUE_AGE_SECONDS = 3_600;

/** A day with the job of an earlier invocation, unless it is old: an older export lacks what has appeared since. */
export function dayTask(task: Omit<DayTask, 'progress'>, now: number): DayTask {
  const { job } = task.stored;
  const isRecent = job && now - Date.parse(job.startedAt) < LONGEST_JOB_MS + HOUR_MS;
  const detail = 'not started yet';
  return { ...task, progress: isRecent ? { state: 'exporting', job, detail } : { state: 'new', detail } };
}

/**
 * Takes the next step of a day. The state is saved before and after each step, so that after a crash only the interrupted
 * step is repeated. Never rejects because of 8x8.
 */
export async function advance(task: DayTask, dependencies: DayDependencies): Promise<DayTask> {
  const { progress } = task;
  try {
    if (progress.state === 'new') return await startExport(task, dependencies);
    if (progress.state === 'exporting') return await pollExport(task, progress.job, dependencies);
    return task;
  } catch (error) {
    if (error instanceof LogExportError && error.kind === 'too-large')
      return complete(task, { state: 'held', result: NO_RESULT, detail: error.message }, dependencies);
    return fail(task, error, dependencies);
  }
}

/** If the function is killed before the state is saved, the next step starts another export, which is harmless. */
async function startExport(task: DayTask, dependencies: DayDependencies): Promise<DayTask> {
  const startedAt = dependencies.now();
  const id = await dependencies.logExport.start(task.subAccountId, exportPeriod(task.day, startedAt));
  const job = { id, startedAt: new Date(startedAt).toISOString() };
  const progress = { state: 'exporting', job, detail: '8x8 is making the export' } as const;
  return saved({ ...task, stored: { ...task.stored, job }, progress }, dependencies);
}

async function pollExport(task: DayTask, job: Job, dependencies: DayDependencies): Promise<DayTask> {
  const { logExport, now } = dependencies;
  const polled = await logExport.poll(task.subAccountId, job.id);
  if (polled.state === 'succeeded') return reconcile(task, job, polled.links, dependencies);
  if (now() - Date.parse(job.startedAt) >= LONGEST_JOB_MS) {
    const hours = LONGEST_JOB_MS / HOUR_MS;
    throw new LogExportError('job-overdue', `8x8 did not complete the export within ${hours} hours`);
  }
  const detail = `8x8 is making the export (${polled.status})`;
  return { ...task, progress: { state: 'exporting', job, detail } };
}

async function reconcile(
  task: DayTask,
  job: Job,
  links: readonly Link[],
  dependencies: DayDependencies,
): Promise<DayTask> {
  const { queueAge, deadLetterSessions, download, now } = dependencies;
  const wait = (detail: string): DayTask => ({ ...task, progress: { state: 'exporting', job, detail } });
  const age = await queueAge();
  if (age > MAX_QUEUE_AGE_SECONDS)
    return wait(
      `deliveries have waited in the queue for ${Math.round(age / 60)} minutes, and may contain the missing sessions`,
    );
  const deadLetters = await deadLetterSessions();
  if (!deadLetters)
    return wait('the dead-letter queue is being read, by npx vss-webhook redrive for example');

  // Counts as a failure until it succeeds, so that a day that kills the function does not delay others.
  const failures = task.stored.failures + 1;
  const stored = { ...task.stored, failures, retryAt: retryAt(failures, now()) };
  await dependencies.states.save(task.subAccountId, task.day, stored);
  using files = await download(links);
  return await compareAndRecord(task, { job, files, deadLetters }, dependencies);
}

async function compareAndRecord(
  task: DayTask,
  { job, files, deadLetters }: { job: Job; files: DownloadedFiles; deadLetters: ReadonlySet<string> },
  dependencies: DayDependencies,
): Promise<DayTask> {
  const { subAccountId, day, mode } = task;
  const { retentionDays, lookUp, objects, send, now, recordUntil } = dependencies;
  const exportedAt = Date.parse(job.startedAt);
  const scope = { subAccountId, ...plausiblePeriod(day, exportedAt) };
  const readAgain: Recording['readAgain'] = (isWanted) => readRows(files.read(), scope, isWanted);
  const exported = await readSessions(readAgain(), day);
  const comparison = await compare(exported, {
    subAccountId,
    day,
    exportedAt,
    now: now(),
    retentionMs: retentionDays === undefined ? undefined : retentionDays * DAY_MS,
    lookUp,
    deadLetters,
  });
  const { result } = comparison;
  dependencies.onFound(task, result);
  const hold = await holdOf(task, comparison, exportPeriod(day, exportedAt), dependencies);
  const ended = { state: hold && mode === 'record' ? 'held' : 'done', result, detail: hold?.detail } as const;
  if (hold?.isSuspect) return complete(task, ended, dependencies);
  await using charges = chargesFile(objects, subAccountId, day);
  const left = await record(
    {
      subAccountId,
      exportedAt: job.startedAt,
      sessions: exported.sessions,
      candidates: hold || mode === 'report' ? [] : comparison.candidates,
      readAgain,
      charges,
      send,
      isLate: () => now() >= recordUntil,
    },
    result,
  );
  if (left === 0) return complete(task, ended, dependencies);
  const detail = `${result.recorded} missing sessions were recorded; ${left} sessions are left`;
  const progress = { state: 'exporting', job, detail } as const;
  return saved({ ...task, stored: { ...task.stored, failures: 0 }, progress }, dependencies);
}

/** Why a day is not recorded. The reading of a suspect export is probably wrong, so nothing of it is stored. */
interface Hold {
  detail: string;
  isSuspect: boolean;
}

async function holdOf(
  { mode, beyondLimit }: DayTask,
  { result: { missing }, undelivered = 0 }: Comparison,
  { from, to }: { from: Date; to: Date },
  { acceptedDeliveries }: DayDependencies,
): Promise<Hold | undefined> {
  if (beyondLimit || missing === 0) return undefined;
  const isSuspect = undelivered > 0 && (await acceptedDeliveries(from, to)) > 0;
  if (!isSuspect && missing <= LIMIT) return undefined;
  const reason = isSuspect
    ? `None of ${undelivered} sessions in the export of three days has a delivered record, although deliveries were accepted then: its session ids are probably not those of the deliveries. Nothing was recorded.`
    : `More than ${LIMIT.toLocaleString('en')} sessions are missing: deliveries failed, or the export is of another account. None was recorded.`;
  return { isSuspect, detail: mode === 'report' ? `A run that records would be held. ${reason}` : reason };
}

async function complete(
  task: DayTask,
  progress: Progress & { state: 'done' | 'held' },
  dependencies: DayDependencies,
): Promise<DayTask> {
  const { subAccountId, day, mode, stored } = task;
  const { state, result, detail } = progress;
  const at = stored.job?.startedAt ?? new Date(dependencies.now()).toISOString();
  await dependencies.states.saveResult(subAccountId, day, at, mode, result);
  const isOnlyReported = mode === 'report' && stored.completed?.mode === 'record';
  const run = { at, mode, isHeld: state === 'held', detail };
  const completed = isOnlyReported ? stored.completed : run;
  return saved({ ...task, stored: { failures: 0, completed }, progress }, dependencies);
}

/** The faults that may pass within minutes, and whether the next attempt reads the same export or starts another. */
const TRANSIENT: Partial<Record<LogExportFault, 'same' | 'another'>> = {
  'cut-off': 'same',
  stalled: 'same',
  unavailable: 'same',
  expired: 'another',
  'job-failed': 'another',
  'job-overdue': 'another',
  'job-unknown': 'another',
};

async function fail(task: DayTask, error: unknown, dependencies: DayDependencies): Promise<DayTask> {
  const { subAccountId, day, stored } = task;
  const failures = stored.failures + 1;
  const kind = error instanceof LogExportError ? error.kind : undefined;
  const isLastAttempt = failures % IMMEDIATE_ATTEMPTS === 0;
  // If the file itself is damaged, only another export helps.
  const keepsJob = (kind === undefined || TRANSIENT[kind] === 'same') && !isLastAttempt;
  const job = keepsJob ? stored.job : undefined;
  const next = { completed: stored.completed, failures, retryAt: retryAt(failures, dependencies.now()), job };
  const detail = error instanceof Error ? error.message : String(error);
  if (kind && TRANSIENT[kind] && failures < IMMEDIATE_ATTEMPTS) {
    const progress: Progress = job ? { state: 'exporting', job, detail } : { state: 'new', detail };
    return saved({ ...task, stored: next, progress }, dependencies);
  }
  const details = { subAccountId: loggableId(subAccountId), day, kind, detail };
  dependencies.logger.error('A day could not be reconciled with the log export', details);
  return saved({ ...task, stored: next, progress: { state: 'failed', detail } }, dependencies);
}

async function saved(task: DayTask, { states }: DayDependencies): Promise<DayTask> {
  await states.save(task.subAccountId, task.day, task.stored);
  return task;
}
