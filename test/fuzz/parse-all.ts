import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { textOrBytes } from '../../functions/queue/message.ts';
import { toItem } from '../../functions/recorder/item.ts';
import { identify, MAX_KEYS } from '../../functions/vss/event.ts';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { readSummary } from '../../functions/vss/summary.ts';
import { MAX_BODY_BYTES } from '../../functions/webhook/receive.ts';
import type { Findings } from './findings.ts';

/** Caches may grow by this much. */
const MAX_GROWTH_MB = 16;

/** A body of the maximum size, and full of objects. The time that JSON.parse takes for it is the unit of all times. */
const LARGEST_BODY = `[${'{},'.repeat(MAX_BODY_BYTES / 3 - 1)}1]`;

/** The worst bodies take about 25 units, because they are read several times. Quadratic code takes hundreds. */
const MAX_UNITS = 50;

/** A body that takes longer than this is measured again, because the CPU may have been used by another process. */
const SUSPICIOUS_UNITS = 10;
const REPETITIONS = 10;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Does what the recorder does with a body before it calls DynamoDB. Returns what the webhook should identify. */
function readAndConvert(body: string | Uint8Array): ReturnType<typeof identify> {
  const read = readSummary(body);
  if (read.outcome !== 'summary') return read;
  const { summary } = read;
  toItem(newRecord(receivedSummary(summary, new Date().toISOString())));
  return { outcome: 'summary', sessionId: summary.sessionId, subAccountId: summary.subAccountId };
}

/**
 * Parses `count` bodies.
 *
 * @param isTimed Whether a body that takes too long is a failure.
 */
export function parseAll(
  bodies: Iterable<Buffer>,
  count: number,
  { isTimed }: { isTimed: boolean },
  progress: (text: string) => void,
): Findings {
  const outcomes = new Map<string, number>();
  const complaints: string[] = [];
  let [read, slowest, heapBefore] = [0, 0, 0];
  const suspicious = isTimed
    ? (SUSPICIOUS_UNITS * cpuTime(parseLargest, 50)) / 1_000
    : Number.POSITIVE_INFINITY;
  for (const body of bodies) {
    if (read === count) break;
    // The heap is measured after the first bodies, which warm up V8 and are the longest.
    if (read === Math.floor(count / 10)) heapBefore = heapUsed();
    if (body.length > MAX_BODY_BYTES) throw new Error(`A body has ${body.length} bytes`);
    const text = textOrBytes(body);
    const began = performance.now();
    const expected = readAndConvert(text);
    const took = performance.now() - began;
    if (took > suspicious) {
      const units = unitsFor(() => readAndConvert(text));
      slowest = Math.max(slowest, units);
      if (units > MAX_UNITS)
        complaints.push(
          `${Math.round(units)} units for ${JSON.stringify(body.subarray(0, 60).toString())} …`,
        );
    }
    const { outcome } = expected;
    if ((outcome !== 'invalid-json') !== isReadable(body))
      complaints.push(`${outcome}: ${JSON.stringify(body.subarray(0, 200).toString())}`);
    if (!isDeepStrictEqual(identify(text), expected))
      complaints.push(
        `identify and readSummary disagree: ${JSON.stringify(body.subarray(0, 200).toString())}`,
      );
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    read++;
    if (read % 100_000 === 0) progress(`${read} parsed`);
  }
  const growth = (heapUsed() - heapBefore) / 1e6;
  if (growth > MAX_GROWTH_MB) complaints.push(`The heap grew by ${Math.round(growth)} MB.`);
  return {
    table: [
      ['bodies parsed', read],
      ...[...outcomes].map(([outcome, number]) => [`  ${outcome}`, number] as const),
      ...(isTimed ? [['slowest body ÷ JSON.parse of the largest body', slowest.toFixed(1)] as const] : []),
      ['heap growth, MB', growth.toFixed(1)],
    ],
    complaints,
  };
}

/** Whether a body is JSON in UTF-8 with at most the maximum number of keys. Independent of the implementation. */
function isReadable(body: Buffer): boolean {
  if (!isUtf8(body)) return false;
  const text = body.toString().replace(/^\uFEFF/, '');
  try {
    JSON.parse(text);
  } catch {
    return false;
  }
  let keys = 0;
  for (let inText = false, i = 0; i < text.length; i++) {
    if (inText && text[i] === '\\') i++;
    else if (text[i] === '"') inText = !inText;
    else if (text[i] === ':' && !inText) keys++;
  }
  return keys <= MAX_KEYS;
}

/**
 * The CPU time of an action in units. Both take turns, and the least of each counts, because on a busy machine, other
 * processes take the caches away.
 */
function unitsFor(action: () => unknown): number {
  const times = Array.from(
    { length: REPETITIONS },
    () => [cpuTime(action, 1), cpuTime(parseLargest, 10)] as const,
  );
  return Math.min(...times.map(([time]) => time)) / Math.min(...times.map(([, unit]) => unit));
}

const parseLargest = () => JSON.parse(LARGEST_BODY);

/** The mean CPU time of this thread for an action, in microseconds. Its resolution may be four milliseconds. */
function cpuTime(action: () => unknown, times: number): number {
  const before = process.threadCpuUsage();
  for (let i = 0; i < times; i++) action();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / times;
}
