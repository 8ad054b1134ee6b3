import { isUtf8 } from 'node:buffer';
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

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Does what the recorder does with a body before it calls DynamoDB. Returns the outcome. */
function readAndConvert(body: string | Uint8Array): string {
  const read = readSummary(body);
  if (read.outcome === 'summary') toItem(newRecord(receivedSummary(read.summary, new Date().toISOString())));
  return read.outcome;
}

/** Parses `count` bodies, each of which must take at most `limitMs` milliseconds. */
export function parseAll(
  bodies: Iterable<Buffer>,
  count: number,
  limitMs: number,
  progress: (text: string) => void,
): Findings {
  const outcomes = new Map<string, number>();
  const complaints: string[] = [];
  let [read, longest, tooLong, heapBefore] = [0, 0, 0, 0];
  for (const body of bodies) {
    if (read === count) break;
    // The heap is measured after the first bodies, which warm up V8 and are the longest.
    if (read === Math.floor(count / 10)) heapBefore = heapUsed();
    if (body.length > MAX_BODY_BYTES) throw new Error(`A body has ${body.length} bytes`);
    const text = textOrBytes(body);
    const began = performance.now();
    const outcome = readAndConvert(text);
    const took = performance.now() - began;
    longest = Math.max(longest, took);
    // Measure again, because another process may have used the CPU, or V8 may not be warm for this kind of body.
    if (took > limitMs && bestOfTwenty(() => readAndConvert(text)) > limitMs) {
      tooLong++;
      complaints.push(`${Math.round(took)} ms for ${JSON.stringify(body.subarray(0, 60).toString())} …`);
    }
    if ((outcome !== 'invalid-json') !== isReadable(body))
      complaints.push(`${outcome}: ${JSON.stringify(body.subarray(0, 200).toString())}`);
    if (identify(text).outcome !== outcome)
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
      ['longest, ms', longest.toFixed(1)],
      [`longer than ${limitMs} ms, even in the best of twenty repetitions`, tooLong],
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

/** The shortest time of twenty repetitions, in milliseconds. */
function bestOfTwenty(action: () => unknown): number {
  const times = Array.from({ length: 20 }, () => {
    const began = performance.now();
    action();
    return performance.now() - began;
  });
  return Math.min(...times);
}
