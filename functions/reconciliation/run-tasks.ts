import { advanceDay, type DayTask, type Step, type StepDependencies } from './advance-day.ts';

/** How many exports 8x8 makes for us at a time. It documents no limit. */
const CONCURRENT_JOBS = 100;

/** The pause between two rounds of polls: two seconds, then longer, up to a minute. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

export interface RunDependencies extends StepDependencies {
  pause: (milliseconds: number) => Promise<unknown>;
}

const NOT_REACHED: Step = { state: 'waiting', detail: 'not started yet' };

/**
 * Advances days, several exports at a time, until all are reconciled or have failed. Stops when `stopAt` has passed; the
 * next invocation resumes the remaining ones.
 *
 * @param stopAt Milliseconds since 1970. A step that has begun then is completed.
 */
export async function runTasks(
  tasks: readonly DayTask[],
  stopAt: number,
  { pause, ...dependencies }: RunDependencies,
): Promise<Map<DayTask, Step>> {
  const steps = new Map<DayTask, Step>(tasks.map((task) => [task, NOT_REACHED]));
  const waiting = () => tasks.filter((task) => steps.get(task)?.state === 'waiting');
  let pauseMs = FIRST_PAUSE_MS;
  for (let left = waiting(); left.length > 0; ) {
    for (const task of left.slice(0, CONCURRENT_JOBS)) {
      if (dependencies.now() >= stopAt) return steps;
      steps.set(task, await advanceDay(task, dependencies));
    }
    const hasProgressed = waiting().length < left.length;
    left = waiting();
    if (hasProgressed) {
      pauseMs = FIRST_PAUSE_MS;
    } else if (dependencies.now() + pauseMs < stopAt) {
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    } else {
      return steps;
    }
  }
  return steps;
}
