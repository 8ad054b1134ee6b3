import { readSummary } from '../../functions/vss/summary.ts';
import { examples } from '../../infra/local/examples.ts';
import { median } from './median.ts';
import type { Row } from './row.ts';

const ROUNDS = 60;
const READS_PER_ROUND = 500;

/** The mean time to parse a published example, in microseconds and in the order of WAYS: ours, and JSON.parse as bare. */
export function measureParsing(): Row['values'] {
  const readers = [
    (body: string) => readSummary(body).outcome === 'summary',
    (body: string) => typeof JSON.parse(body) === 'object',
  ];
  const rounds = Array.from({ length: ROUNDS }, () => readers.map(timed));
  return readers.map((_, i) => median(rounds.map((round) => round[i] ?? Number.NaN)));
}

function timed(reads: (body: string) => boolean): number {
  const began = performance.now();
  for (let read = 0; read < READS_PER_ROUND; read++)
    for (const { body, name } of examples) if (!reads(body)) throw new Error(`${name} could not be parsed`);
  return ((performance.now() - began) * 1_000) / READS_PER_ROUND / examples.length;
}
