/** How many times larger the second input is. */
const FACTOR = 8;

/**
 * By what factor the time of an action grows with an input that is eight times as large: about 8 if it is linear, 64 if
 * it is quadratic. Each is the least of several measurements, so that neither a slow machine nor a busy one matters.
 */
export function growth(action: (size: number) => void, size: number): number {
  action(size);
  return leastTime(() => action(size * FACTOR)) / leastTime(() => action(size));
}

function leastTime(action: () => void): number {
  const times = Array.from({ length: 10 }, () => {
    const began = performance.now();
    action();
    return performance.now() - began;
  });
  return Math.min(...times);
}
