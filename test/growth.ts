/** How many times larger the second input is. */
const FACTOR = 8;

/** The kernel may count a thread's time in steps of four milliseconds. */
const ENOUGH_US = 80_000;

/**
 * By what factor the processor time of an action grows with an input that is eight times as large: about 8 if it is
 * linear, 64 if it is quadratic. It is this thread's own time, so that neither a slow machine nor a busy one matters.
 */
export function growth(action: (size: number) => void, size: number): number {
  action(size);
  return processorTime(() => action(size * FACTOR)) / processorTime(() => action(size));
}

/** Microseconds that an action takes, the mean of many. */
function processorTime(action: () => void): number {
  const before = process.threadCpuUsage();
  for (let times = 1; ; times++) {
    action();
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= ENOUGH_US) return (user + system) / times;
  }
}
