import { number } from '../../analytics/report/wording.ts';
import { MEASURED } from '../cost/estimate.ts';
import prices from '../cost/prices.json' with { type: 'json' };
import type { Restored } from './restore-item.ts';

/** What a restore did, or would do. */
export class Totals {
  readonly #counts = new Map<Restored['outcome'], number>();
  /** Written records that the index of unsuccessful sessions contains. */
  #indexed = 0;

  add(restored: Restored): void {
    this.#counts.set(restored.outcome, this.#of(restored.outcome) + 1);
    if ('record' in restored && restored.record.unsuccessfulIn !== undefined) this.#indexed++;
  }

  get all(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  get failed(): number {
    return this.#of('failed');
  }

  text(): string {
    const counts = OUTCOMES.flatMap(([outcome, text, isAlwaysShown]) =>
      isAlwaysShown || this.#of(outcome) > 0 ? [`${number(this.#of(outcome))} ${text}`] : [],
    );
    return `${counts.join(', ')}.`;
  }

  /** What the writes cost, and the reads that precede them. */
  priceText(): string {
    const written = this.#of('added') + this.#of('changed');
    const reads = this.all - this.#of('not-selected') - this.#of('expired');
    const writes =
      written * MEASURED.writeUnits + this.#indexed * MEASURED.indexWriteUnits + this.#of('erased');
    return `about $${dollars(reads, writes).toFixed(2)} (${number(reads)} reads, ${number(Math.ceil(writes))} write units)`;
  }

  #of(outcome: Restored['outcome']): number {
    return this.#counts.get(outcome) ?? 0;
  }
}

/** The most that it costs to restore this number of items, if all of them are written and indexed. */
export function maximumPriceText(items: number): string {
  const writes = items * (MEASURED.writeUnits + MEASURED.indexWriteUnits);
  return `at most about $${dollars(items, writes).toFixed(2)} (list prices of ${prices.region})`;
}

function dollars(reads: number, writes: number): number {
  const { dynamodbReadUnits, dynamodbWriteUnits } = prices.perMillion;
  return (reads * dynamodbReadUnits + writes * dynamodbWriteUnits) / 1_000_000;
}

const OUTCOMES = [
  ['added', 'added', true],
  ['changed', 'changed', true],
  ['unchanged', 'unchanged', true],
  ['erased', 'erased, as in the exports', false],
  ['stays-erased', 'not restored, because they were erased', false],
  ['expired', 'not restored, because they have expired', false],
  ['not-selected', 'not selected', false],
  ['failed', 'failed', false],
] as const satisfies readonly (readonly [Restored['outcome'], string, boolean])[];
