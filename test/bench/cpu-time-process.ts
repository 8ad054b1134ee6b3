import { createRequire } from 'node:module';
import { FUNCTIONS, isFunctionName } from './events.ts';

/**
 * Runs in a separate process (`cpu-time.ts`). Loads all bundles of a function, and invokes them in turns of a few
 * milliseconds, in rotating order, so that other load on the machine affects all of them. Prints the CPU time of each
 * bundle per session, in microseconds, for each turn.
 */

type Handler = (event: object, context: object) => Promise<{ statusCode?: number; batchItemFailures?: [] }>;

/** Sessions that a bundle handles in its turn, and turns in a block. */
const SESSIONS = 10;
const TURNS = 100;

/** The bundles are warm when the fastest turn of none has become 2 % faster for this many blocks in a row. */
const STABLE_BLOCKS = 3;
const GAIN = 0.02;
const MAX_WARM_UP_BLOCKS = 20;
const MEASURED_BLOCKS = 5;

const [, , name = '', ...bundles] = process.argv;
if (!isFunctionName(name)) throw new Error(`Not a function: ${name}`);
const { nextEvent, sessionsPerEvent } = FUNCTIONS[name];
const context = { getRemainingTimeInMillis: () => 30_000 };
const handlers = bundles.map((bundle): Handler => createRequire(import.meta.url)(bundle).handler);

await warmUp();
const measured: number[][] = [];
for (let block = 0; block < MEASURED_BLOCKS; block++) measured.push(...(await measureBlock()));
process.stderr.write(JSON.stringify(measured), () => process.exit());

async function warmUp(): Promise<void> {
  const fastest = handlers.map(() => Number.POSITIVE_INFINITY);
  for (let [block, stable] = [0, 0]; stable < STABLE_BLOCKS && block < MAX_WARM_UP_BLOCKS; block++) {
    stable++;
    for (const times of await measureBlock())
      for (const [i, time] of times.entries()) {
        const best = fastest[i] ?? Number.NaN;
        if (time < best * (1 - GAIN)) stable = 0;
        fastest[i] = Math.min(time, best);
      }
  }
}

/** The CPU times of a block: for each turn, those of all bundles. */
async function measureBlock(): Promise<number[][]> {
  const turns: number[][] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const times = handlers.map(() => Number.NaN);
    for (let place = 0; place < handlers.length; place++) {
      const i = (turn + place) % handlers.length;
      times[i] = await measureTurn(handlers[i]);
    }
    turns.push(times);
  }
  return turns;
}

async function measureTurn(handler?: Handler): Promise<number> {
  const events = Array.from({ length: SESSIONS / sessionsPerEvent }, nextEvent);
  const results = [];
  const before = process.cpuUsage();
  for (const event of events) results.push(await handler?.(event, context));
  const { user, system } = process.cpuUsage(before);
  for (const result of results)
    if ((result?.statusCode ?? 200) !== 200 || (result?.batchItemFailures?.length ?? 0) > 0)
      throw new Error(`Failed: ${JSON.stringify(result)}`);
  return (user + system) / SESSIONS;
}
