import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../../../functions/vss/record.ts';
import type { Restored } from '../../../../infra/commands/restore/restore-item.ts';
import { maximumPriceText, Totals } from '../../../../infra/commands/restore/totals.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';

const MILLION = 1_000_000;

/** The price of a million items. */
function priceOf(restored: Restored): string {
  const totals = new Totals();
  for (let i = 0; i < MILLION; i++) totals.add(restored);
  return /\$[\d.]+/.exec(totals.priceText())?.[0] ?? '';
}

function added(sessionStatus: string): Restored {
  const summary = summaryOf(summaryBody({ sessionStatus }));
  return { outcome: 'added', record: newRecord(receivedSummary(summary, '2026-11-20T10:00:05.000Z')) };
}

it('the README has the price of a million restored sessions', () => {
  const readme = readFileSync(
    new URL('../../../../infra/commands/restore/README.md', import.meta.url),
    'utf8',
  ).replaceAll(/\s+/g, ' ');

  expect(readme).toContain(
    `**Cost**: ${priceOf(added('COMPLETED'))} per million sessions that are added, and ${priceOf({ outcome: 'unchanged' })} if they are unchanged, plus $0.83 for those that are also in the index.`,
  );
  expect(priceOf(added('FAILED'))).toBe('$1.85');
  expect(priceOf({ outcome: 'expired' })).toBe('$0.00');
  expect(maximumPriceText(MILLION)).toBe('at most about $1.85 (list prices of us-east-1)');
});
