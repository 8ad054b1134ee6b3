import { startInvoker } from './invoker.ts';
import { median } from './median.ts';

/** Rounds before V8 has finished to optimise. */
const WARM_UP = 20;

/** Several, because the CPU time differs by up to 10 % between processes of the same bundle. */
const PROCESSES = 5;

/**
 * Measures the CPU time of each bundle per event, in milliseconds. Each bundle runs in separate processes. The bundles
 * take turns in rotating order, with the same number of events per round. Warm-up rounds are discarded.
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
