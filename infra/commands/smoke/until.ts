import { setTimeout } from 'node:timers/promises';

/** How long something is waited for. */
export interface Patience {
  /** Ends the waiting. */
  signal: AbortSignal;
  timeoutMs: number;
  /** The longest pause between two attempts; the first ones are shorter. Default two seconds. */
  maxPauseMs?: number;
}

const FIRST_PAUSE_MS = 100;

/** Attempts something until it has a result, at least once. Undefined when the time is up, or the signal has come. */
export async function until<T>(
  attempt: () => Promise<T | undefined>,
  { signal, timeoutMs, maxPauseMs = 2_000 }: Patience,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, maxPauseMs)) {
    const result = await attempt();
    const left = deadline - performance.now();
    if (result !== undefined || left <= 0 || signal.aborted) return result;
    // Rejects only when the signal comes, which the next attempt is the last to see.
    await setTimeout(Math.min(pause, left), undefined, { signal }).catch(() => {});
  }
}
