import { startInvoker } from './invoker.ts';
import { median } from './median.ts';

/** Rounds until V8 has compiled what it will. */
const WARM_UP = 20;

/** One process of a bundle takes up to a tenth more than another. */
const PROCESSES = 5;

/**
 * Milliseconds of the processor that each bundle takes for an event, in processes of its own. The bundles take turns,
 * with the same number of events each and another one first in each round; the first rounds do not count.
 */
export async function measureCpu(
  bundles: readonly string[],
  rounds: number,
  eventsPerRound: number,
  environment: Readonly<Record<string, string>>,
  nextEvent: () => unknown,
): Promise<number[]> {
  const times = bundles.map((): number[] => []);
  for (let series = 0; series < PROCESSES; series++) {
    const invokers = bundles.map((bundle) => startInvoker(bundle, environment));
    try {
      for (let round = -WARM_UP; round < rounds / PROCESSES; round++)
        for (const turn of invokers.keys()) {
          const i = (turn + round + WARM_UP) % invokers.length;
          const events = Array.from({ length: eventsPerRound }, nextEvent);
          const milliseconds = (await invokers[i]?.invoke(events)) ?? Number.NaN;
          if (round >= 0) times[i]?.push(milliseconds / eventsPerRound);
        }
    } finally {
      for (const invoker of invokers) invoker.stop();
    }
  }
  return times.map(median);
}
