import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { median } from './median.ts';

/** The duration of a cold start in milliseconds: until the bundle is loaded, and until the first response. */
const LoadTime = v.object({ load: v.number(), first: v.number() });
export type LoadTime = v.InferOutput<typeof LoadTime>;

/** The script of a measured process, which loads only the bundle. */
const LOAD = `
  const began = performance.now();
  const { handler } = require(process.argv[1]);
  const load = performance.now() - began;
  handler(JSON.parse(process.argv[2]), { getRemainingTimeInMillis: () => 30_000 }).then(() => {
    process._rawDebug(JSON.stringify({ load, first: performance.now() - began }));
    process.exit();
  });
`;

/**
 * Loads each bundle in new processes, and invokes it once. The bundles take turns, so that other load on the machine
 * affects all of them. Returns the medians in the order of the bundles.
 */
export async function measureLoad(
  bundles: readonly string[],
  rounds: number,
  environment: Readonly<Record<string, string>>,
  nextEvent: () => unknown,
): Promise<LoadTime[]> {
  const times = bundles.map((): LoadTime[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, bundle] of bundles.entries()) {
      const { stderr } = await promisify(execFile)(
        process.execPath,
        ['-e', LOAD, bundle, JSON.stringify(nextEvent())],
        { env: environment },
      );
      times[i]?.push(v.parse(LoadTime, JSON.parse(stderr.trim().split('\n').at(-1) ?? '')));
    }
  }
  return times.map((rounds) => ({
    load: median(rounds.map(({ load }) => load)),
    first: median(rounds.map(({ first }) => first)),
  }));
}
