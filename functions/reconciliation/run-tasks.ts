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
    let isReady = false;
    for (const task of left.slice(0, CONCURRENT_JOBS)) {
      if (dependencies.now() >= stopAt) return steps;
      const step = await advanceDay(task, dependencies);
      steps.set(task, step);
      isReady ||= 'isReady' in step;
    }
    const hasProgressed = isReady || waiting().length < left.length;
    left = waiting();
    pauseMs = hasProgressed ? FIRST_PAUSE_MS : Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    if (left.length === 0 || isReady) continue;
    if (dependencies.now() + pauseMs >= stopAt) return steps;
    await pause(pauseMs);
  }
  return steps;
}
