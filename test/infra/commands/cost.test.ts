import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { toItem } from '../../../functions/recorder/item.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { sessionEvent } from '../../../functions/vss/session-event.ts';
import { limitsTable, tables } from '../../../infra/commands/cost/cost-tables.ts';
import { MEASURED, perMonth, type Usage } from '../../../infra/commands/cost/estimate.ts';
import { limits } from '../../../infra/commands/cost/limits.ts';
import { reconciliationPerMonth } from '../../../infra/commands/cost/reconciliation.ts';
import { ADDED, sessionEventsPerMonth } from '../../../infra/commands/cost/session-events.ts';
import { usageOf } from '../../../infra/commands/cost.ts';
import { examples } from '../../../infra/local/examples.ts';
import { readTemplate } from '../../../infra/local/template.ts';
import { stackName } from '../../../infra/stack-outputs.ts';
import { summaryOf } from '../../functions/summaries.ts';
import { localAssembly } from '../../local-assembly.ts';
import { templateOf } from '../templates.ts';

const resourcesOf = (settings: object) => ({
  Resources: templateOf(settings).toJSON()['Resources'],
  Outputs: {},
});

const dollars = (settings: object, sessions: number) =>
  reconciliationPerMonth(resourcesOf(settings), sessions).reduce((sum, [, , cost]) => sum + cost, 0);

it('the estimated cost depends on durations, hours, records and outcomes', async () => {
  const { folder } = await localAssembly();
  const usage = usageOf({
    sessions: '1000000',
    records: '3000000',
    hours: '24',
    'webhook-ms': '50',
    'recorder-ms': '70',
    unsuccessful: '0',
  });

  const printed = tables(readTemplate(folder, stackName('prod')), usage);

  expect(printed).toMatch(/webhook +1,000,000 of 50 ms/);
  // With the sessions spread over the whole day, the batches are smaller.
  expect(printed).toMatch(/recorder +205,845 of 70 ms/);
  expect(printed).toMatch(/write units +1,428,571/);
  expect(printed).toMatch(/full exports +13\.82 GB/);
});

describe('the estimated cost of the reconciliation', () => {
  it('is at most 25 cents per million sessions, and next to nothing without sessions', () => {
    expect(dollars({}, 1_000_000) - dollars({}, 0)).toBeLessThanOrEqual(0.25);
    expect(dollars({}, 1_000_000)).toBeCloseTo(0.25, 2);
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

describe('the sizes of records', () => {
  /** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
  function sizeOf({ S, N, L, M }: AttributeValue): number {
    if (S !== undefined) return Buffer.byteLength(S);
    if (N !== undefined)
      return Math.ceil(N.replaceAll(/[-.]|^0+|0+$/g, '').length / 2) + (N.startsWith('-') ? 2 : 1);
    if (L) return 3 + L.reduce((size, each) => size + 1 + sizeOf(each), 0);
    if (M) return 3 + Object.keys(M).length + itemSize(M);
    return 1;
  }

  const itemSize = (item: Record<string, AttributeValue>) =>
    Object.entries(item).reduce((size, [name, value]) => size + Buffer.byteLength(name) + sizeOf(value), 0);

  const records = examples.map(({ body }) => newRecord(receivedSummary(summaryOf(body), RECEIVED_AT)));
  const withEvents = records.map((record) => ({
    ...record,
    event: sessionEvent(undefined, record, { phoneNumbers: false }),
  }));
  const isIndexed = ({ unsuccessfulIn }: (typeof records)[number]) => unsuccessfulIn !== undefined;
  const mean = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const sizes = (all: typeof records) => all.map((record) => itemSize(toItem(record)));
  const units = (all: typeof records) => mean(sizes(all).map((size) => Math.ceil(size / 1_024)));

  it('are the means of the examples', () => {
    expect(mean(sizes(records))).toBeCloseTo(MEASURED.recordBytes, 0);
    expect(units(records)).toBeCloseTo(MEASURED.writeUnits);
    expect(mean(sizes(records.filter(isIndexed)))).toBeCloseTo(MEASURED.indexBytes, 0);
    expect(units(records.filter(isIndexed))).toBeCloseTo(MEASURED.indexWriteUnits);
    expect(records.filter(isIndexed).length / records.length).toBeCloseTo(0.43);
  });

  it('grow with session events as estimated', () => {
    expect(mean(sizes(withEvents)) - mean(sizes(records))).toBeCloseTo(ADDED.recordBytes, 0);
    expect(units(withEvents) - units(records)).toBeCloseTo(ADDED.writeUnits);
    expect(units(withEvents.filter(isIndexed)) - units(records.filter(isIndexed))).toBeCloseTo(
      ADDED.indexWriteUnits,
    );
  });
});

const RECEIVED_AT = '2026-01-13T08:27:34.567Z';

describe('the estimated cost of session events', () => {
  const costOf = (settings: object, sessions: number) =>
    sessionEventsPerMonth(resourcesOf(settings), { sessions, unsuccessful: 0.43 }).reduce(
      (sum, [, , cost]) => sum + cost,
      0,
    );
  const unsuccessful = { sessionEvents: { outcomes: 'unsuccessful' } };

  it('is what the README says, and nothing if they are off', () => {
    expect(costOf({ sessionEvents: true }, 0)).toBeCloseTo(8.29, 2);
    expect(costOf({ sessionEvents: true }, 1_000_000) - 8.29).toBeCloseTo(2.18, 2);
    expect(costOf(unsuccessful, 1_000_000) - 8.29).toBeCloseTo(1.38, 2);
    expect(costOf({ sessionEvents: false }, 1_000_000)).toBe(0);
  });
});

describe('the limits of a stage in sessions per second', () => {
  const usage = usageOf({
    sessions: '1000000',
    records: '1000000',
    hours: '12',
    'webhook-ms': '25',
    'recorder-ms': '200',
    unsuccessful: '50',
  });
  const limitsOf = (settings: object, changes: Partial<Usage> = {}) =>
    Object.fromEntries(
      limits(resourcesOf(settings), { ...usage, ...changes }).map(({ part, perSecond }) => [part, perSecond]),
    );

  it('are computed from the template, durations and quotas', () => {
    const found = limitsOf({
      throttlingRate: 50,
      webhookConcurrency: 20,
      recorderConcurrency: 3,
      queryScanLimitGigabytes: 200,
      retentionDays: 73,
    });

    expect(found).toEqual({
      'API Gateway, throttling of the stage': 50,
      'API Gateway, all APIs of the account': 10_000,
      // Ten requests per second for each of the 20, although 25 ms would allow 40.
      'Lambda, webhook': 200,
      SQS: Number.POSITIVE_INFINITY,
      // Three batches of ten, five times per second.
      'Lambda, recorder': 150,
      'DynamoDB, new table': 4_000 / MEASURED.writeUnits,
      'DynamoDB, table': 40_000 / MEASURED.writeUnits,
      // Every other session is in the index.
      'DynamoDB, index, of one sub-account': 2_000 / MEASURED.indexWriteUnits,
      'Reconciliation, of one sub-account, mean': 1_000_000 / (3 * 86_400),
      Exports: Number.POSITIVE_INFINITY,
      'Athena, records of 73 days, mean': 200e9 / (6 * MEASURED.exportedBytes) / (73 * 86_400),
    });
  });

  it('include those of session events, which also make records larger', () => {
    const all = limitsOf({ sessionEvents: true });
    const half = limitsOf({ sessionEvents: { outcomes: 'unsuccessful' } });

    expect(all['DynamoDB, new table']).toBeCloseTo(4_000 / (MEASURED.writeUnits + ADDED.writeUnits));
    expect(all['DynamoDB, index, of one sub-account']).toBeCloseTo(
      2_000 / (MEASURED.indexWriteUnits + ADDED.indexWriteUnits),
    );
    // Four shards with ten events at a time, 20 times per second.
    expect(all['EventBridge pipe, 4 shards']).toBe(800);
    expect(half['EventBridge pipe, 4 shards']).toBe(1_600);
    expect(half['EventBridge, events of the account']).toBe(20_000);
  });

  it('are printed of the parts that the stage has, also if there is no limit', () => {
    const printed = limitsTable(
      limits(resourcesOf({ reconciliation: 'off' }), { ...usage, unsuccessful: 0 }),
    );

    expect(printed).toMatch(/^API Gateway, throttling of the stage +200 {2}throttlingRate$/m);
    expect(printed).toMatch(/^DynamoDB, index, of one sub-account +none /m);
    expect(printed).not.toMatch(/Reconciliation|EventBridge|Infinity/);
  });
});
