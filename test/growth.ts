/** How many times larger the second input is. */
const FACTOR = 8;

/** Long enough for the resolution of a thread's CPU time, which may be four milliseconds. */
const MIN_CPU_US = 20_000;

const MAX_ATTEMPTS = 8;

/**
 * The factor by which the CPU time of an action grows with an input that is eight times as large: about 8 if it is
 * linear, 64 if it is quadratic. Uses the CPU time of this thread, so that a slow machine does not matter. On a busy one,
 * other processes take the caches away, mostly from the larger input, so the least factor of several attempts counts.
 */
export function growth(action: (size: number) => void, size: number): number {
  action(size);
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && least > 2 * FACTOR; attempt++)
    least = Math.min(least, cpuTime(() => action(size * FACTOR)) / cpuTime(() => action(size)));
  return least;
}

/** The mean CPU time of an action, in microseconds. */
function cpuTime(action: () => void): number {
  const before = process.threadCpuUsage();
  for (let times = 1; ; times++) {
    action();
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= MIN_CPU_US) return (user + system) / times;
  }
}
