import type { DayTask, Step } from './advance-day.ts';
import type { DayProgress } from './progress.ts';
import type { Result } from './result.ts';
import { type RunDependencies, runTasks } from './run-tasks.ts';

/** What an invocation needs of 8x8: its API key is read each time, so that a new one takes effect immediately. */
type Connection = Pick<RunDependencies, 'logExport' | 'download'>;

export interface InvocationDependencies extends Omit<RunDependencies, keyof Connection | 'onFound'> {
  connect: () => Promise<Connection>;
  subAccountIds: readonly string[];
}

/** Advances days for so many milliseconds, and returns their progress. Does not call 8x8 if there are none. */
export async function advanceDays(
  tasks: readonly DayTask[],
  milliseconds: number,
  onFound: RunDependencies['onFound'],
  { connect, ...dependencies }: InvocationDependencies,
): Promise<Map<DayTask, DayProgress>> {
  if (tasks.length === 0) return new Map();
  const stopAt = dependencies.now() + milliseconds;
  const deadLetterSessions = readOnce(dependencies.deadLetterSessions);
  const connection = await connect();
  const steps = await runTasks(tasks, stopAt, {
    ...dependencies,
    ...connection,
    deadLetterSessions,
    onFound,
  });
  return new Map([...steps].map(([task, step]) => [task, progressOf(task, step)]));
}

/** Reads once, because reading hides messages, which SQS counts as hidden for up to a minute. */
function readOnce<T>(read: () => Promise<T | undefined>): () => Promise<T | undefined> {
  let found: T | undefined;
  return async () => {
    found ??= await read();
    return found;
  };
}

export function progressOf(
  { subAccountId, day, state: { completed } }: DayTask,
  step: Step | Pick<DayProgress, 'state'>,
): DayProgress {
  const hasEnded = step.state === 'done' || step.state === 'held';
  return {
    subAccountId,
    day,
    state: step.state,
    ...('detail' in step && { detail: step.detail }),
    ...(completed && hasEnded && { completedAt: completed.at, counts: completed.counts }),
    ...('result' in step && { result: shortened(step.result) }),
  };
}

/** Lambda limits a response to 6 MB, and a window may have many days. The bucket has longer lists. */
const MAX_RETURNED = 20;

export function shortened(result: Result): Result {
  const { refused, missingSessions, reconstructedSessions, differingSessions } = result;
  return {
    ...result,
    refused: refused.slice(0, MAX_RETURNED),
    missingSessions: missingSessions.slice(0, MAX_RETURNED),
    reconstructedSessions: reconstructedSessions.slice(0, MAX_RETURNED),
    differingSessions: differingSessions.slice(0, MAX_RETURNED),
  };
}
