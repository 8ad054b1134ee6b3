import { startInvoker } from './invoker.ts';
import { median } from './median.ts';

const WARM_UP = 5;

/**
 * Milliseconds of the processor that each bundle takes for an event, in a process of its own. The bundles take turns,
 * with the same number of events each; the first rounds, which warm them up, do not count.
 */
export async function measureCpu(
  bundles: readonly string[],
  rounds: number,
  eventsPerRound: number,
  environment: Readonly<Record<string, string>>,
  nextEvent: () => unknown,
): Promise<number[]> {
  const invokers = bundles.map((bundle) => startInvoker(bundle, environment));
  try {
    const times = invokers.map((): number[] => []);
    for (let round = -WARM_UP; round < rounds; round++)
      for (const [i, invoker] of invokers.entries()) {
        const events = Array.from({ length: eventsPerRound }, nextEvent);
        const milliseconds = await invoker.invoke(events);
        if (round >= 0) times[i]?.push(milliseconds / eventsPerRound);
      }
    return times.map(median);
  } finally {
    for (const invoker of invokers) invoker.stop();
  }
}
