import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { DayProgress } from '../../../functions/reconciliation/result.ts';

/** The pause before the function is invoked again. It waits for 8x8 itself, for up to 45 seconds. */
const PAUSE_MS = 2_000;

/**
 * Invokes the reconciliation function until no day is waiting, or the signal aborts. Yields each day when it has ended.
 *
 * @param invoke Reconciles all days of a window but those that have ended.
 * @param showProgress Shows the days that are waiting.
 */
export async function* endedDays(
  invoke: (ended: string[]) => Promise<DayProgress[]>,
  interrupted: AbortSignal,
  showProgress: (waiting: readonly DayProgress[]) => void,
  pause = (milliseconds: number): Promise<unknown> =>
    setTimeout(milliseconds, undefined, { signal: interrupted }).catch(() => {}),
): AsyncGenerator<DayProgress> {
  const ended: string[] = [];
  const aborted = once(interrupted, 'abort').then(() => []);
  while (!interrupted.aborted) {
    const days = await Promise.race([invoke(ended), aborted]);
    const waiting = days.filter(({ state }) => state === 'waiting');
    for (const each of days) {
      if (each.state === 'waiting') continue;
      ended.push(each.day);
      yield each;
    }
    showProgress(waiting);
    if (waiting.length === 0) return;
    await pause(PAUSE_MS);
  }
}
