import { setTimeout } from 'node:timers/promises';

/** How long to wait. */
export interface WaitOptions {
  /** Aborts the wait. */
  signal: AbortSignal;
  timeoutMs: number;
  /** The maximum pause between two attempts; pauses double up to it. Default two seconds. */
  maxPauseMs?: number;
}

const FIRST_PAUSE_MS = 100;

/** Polls until an attempt has a result. Returns undefined after the timeout or once the signal aborts. */
export async function until<T>(
  attempt: () => Promise<T | undefined>,
  { signal, timeoutMs, maxPauseMs = 2_000 }: WaitOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, maxPauseMs)) {
    const result = await attempt();
    const left = deadline - performance.now();
    if (result !== undefined || left <= 0 || signal.aborted) return result;
    // Rejects only if the signal aborts. One last attempt follows.
    await setTimeout(Math.min(pause, left), undefined, { signal }).catch(() => {});
  }
}
