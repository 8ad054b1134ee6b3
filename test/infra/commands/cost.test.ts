import { describe, expect, it } from 'vitest';
import { perMonth } from '../../../infra/commands/cost/estimate.ts';
import { reconciliationPerMonth } from '../../../infra/commands/cost/reconciliation.ts';
import { templateOf } from '../templates.ts';

const resourcesOf = (settings: object) => ({
  Resources: templateOf(settings).toJSON()['Resources'],
  Outputs: {},
});

const dollars = (settings: object, sessions: number) =>
  reconciliationPerMonth(resourcesOf(settings), sessions).reduce((sum, [, , cost]) => sum + cost, 0);

describe('the estimated cost of the reconciliation', () => {
  it('is at most 25 cents per million sessions, and next to nothing without sessions', () => {
    expect(dollars({}, 1_000_000) - dollars({}, 0)).toBeLessThanOrEqual(0.25);
    expect(dollars({}, 1_000_000)).toBeCloseTo(0.24, 2);
    expect(dollars({}, 0)).toBeLessThanOrEqual(0.05);
  });

  it('grows with the retention of the rows', () => {
    expect(dollars({ exportRetentionDays: 366 }, 1_000_000)).toBeGreaterThan(dollars({}, 1_000_000));
  });

  it('is the same if missing sessions are only reported, and nothing without reconciliation', () => {
    const metricsOf = (settings: object) => perMonth(resourcesOf(settings)).at(-1)?.[1];

    expect(dollars({ reconciliation: 'report' }, 1_000_000)).toBe(dollars({}, 1_000_000));
    expect(reconciliationPerMonth(resourcesOf({ reconciliation: 'off' }), 1_000_000)).toEqual([]);
    expect([{}, { reconciliation: 'off' }].map(metricsOf)).toEqual(['27', '20']);
  });
});
