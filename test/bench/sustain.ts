import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { deliver } from '../../infra/local/examples.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { newBody } from './events.ts';

/** The sustained throughput, and latencies in milliseconds. */
export interface Sustained {
  perSecond: number;
  /** From the request until the response. */
  acknowledged: Percentiles;
  /** From the request until the session is recorded. */
  lag: Percentiles;
}

export interface Percentiles {
  p50: number;
  p99: number;
}

/** The run fails if no session is recorded for this long. */
const STUCK_MS = 60_000;

/** The log line with the metrics of a batch of the recorder (Powertools). */
const Line = v.object({ RecordingLag: v.union([v.number(), v.array(v.number())]) });

/**
 * Delivers `count` new sessions to a stack, with at most `atOnce` that are not recorded yet.
 *
 * @param logs Emits `line` for each line that a function logs.
 * @param acknowledged Receives the ids of the sessions that were answered 200.
 * @throws Error if a delivery is not answered 200, or if recording stops.
 */
export function sustain(
  stack: LocalStack,
  logs: EventEmitter<{ line: [string] }>,
  { count, atOnce, acknowledged }: { count: number; atOnce: number; acknowledged: Set<string> },
): Promise<Sustained> {
  const done = Promise.withResolvers<Sustained>();
  const began = performance.now();
  const [waits, lags] = [[] as number[], [] as number[]];
  let delivered = 0;

  async function deliverOne(): Promise<void> {
    const sessionId = randomUUID();
    const sent = performance.now();
    const response = await deliver(stack, newBody(sessionId));
    await response?.text();
    if (response?.status !== 200) throw new Error(`A delivery was answered ${response?.status}`);
    waits.push(performance.now() - sent);
    acknowledged.add(sessionId);
    finishIfDone();
  }

  function deliverMore(): void {
    for (; delivered < count && delivered - lags.length < atOnce; delivered++)
      deliverOne().catch(done.reject);
  }

  const stuck = setTimeout(
    () => done.reject(new Error(`Nothing was recorded for ${STUCK_MS / 1_000} s`)),
    STUCK_MS,
  );
  const note = (line: string) => {
    if (!line.includes('"RecordingLag":')) return;
    lags.push(...[v.parse(Line, JSON.parse(line)).RecordingLag].flat());
    stuck.refresh();
    deliverMore();
    finishIfDone();
  };
  function finishIfDone(): void {
    // A session can be recorded before its response arrives.
    if (waits.length < count || lags.length < count) return;
    const perSecond = (count * 1_000) / (performance.now() - began);
    done.resolve({ perSecond, acknowledged: percentiles(waits), lag: percentiles(lags) });
  }

  logs.on('line', note);
  deliverMore();
  return done.promise.finally(() => {
    clearTimeout(stuck);
    logs.off('line', note);
  });
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (fraction: number) => sorted[Math.floor((sorted.length - 1) * fraction)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
