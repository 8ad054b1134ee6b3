/** How many times larger the second input is. */
const FACTOR = 8;

/** Long enough for the resolution of a thread's CPU time, which may be four milliseconds. */
const MIN_CPU_US = 80_000;

/**
 * The factor by which the CPU time of an action grows with an input that is eight times as large: about 8 if it is
 * linear, 64 if it is quadratic. Uses the CPU time of this thread, so that a slow or busy machine does not matter.
 */
export function growth(action: (size: number) => void, size: number): number {
  action(size);
  return leastCpuTime(() => action(size * FACTOR)) / leastCpuTime(() => action(size));
}

/** Of several measurements: other processes that use the same caches, and the garbage collector, only add to it. */
function leastCpuTime(action: () => void): number {
  return Math.min(...Array.from({ length: 3 }, () => meanCpuTime(action)));
}

/** The mean CPU time of an action, in microseconds. */
function meanCpuTime(action: () => void): number {
  const before = process.threadCpuUsage();
  for (let times = 1; ; times++) {
    action();
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= MIN_CPU_US) return (user + system) / times;
  }
}
