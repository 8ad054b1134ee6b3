import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { canonicalJson } from '../../../functions/vss/json.ts';
import {
  holds,
  merge,
  newRecord,
  type ReceivedSummary,
  receivedSummary,
  SessionRecord,
} from '../../../functions/vss/record.ts';
import type { Summary } from '../../../functions/vss/summary.ts';
import { summaryBody, summaryOf } from '../summaries.ts';
import { delivery } from './deliveries.ts';

/**
 * A record is the set of the summaries of a session. Merging is set union: whatever the order, the number and the
 * grouping of deliveries, the record is the same, and every summary is in it.
 */

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 60);
const RECEIVED_AT = '2026-01-13T08:27:34.567Z';

function received(
  payload: Readonly<Record<string, unknown>> = {},
  receivedAt = RECEIVED_AT,
): ReceivedSummary {
  return receivedSummary(summaryOf(summaryBody(payload)), receivedAt);
}

/** Records of one session: of a few different summaries, received at a few times. */
const summaries = fc
  .tuple(
    fc.array(delivery, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { minLength: 1, maxLength: 8 }),
  )
  .map(([deliveries, picks]) =>
    picks.map(([pick, time]) => {
      const summary = summaryOf(JSON.stringify(deliveries[pick % deliveries.length]));
      return receivedSummary({ ...summary, sessionId: 'session' }, `2026-01-13T08:27:3${time}.000Z`);
    }),
  );

const record = summaries.map((all) => all.map(newRecord).reduce(merge));

function expectEqual(a: SessionRecord, b: SessionRecord): void {
  expect(canonicalJson(a)).toBe(canonicalJson(b));
}

describe('merging', () => {
  it('is commutative', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        expectEqual(merge(a, b), merge(b, a));
      }),
      { numRuns },
    );
  });

  it('is associative', () => {
    fc.assert(
      fc.property(record, record, record, (a, b, c) => {
        expectEqual(merge(merge(a, b), c), merge(a, merge(b, c)));
      }),
      { numRuns },
    );
  });

  it('is idempotent', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        expectEqual(merge(a, a), a);
        expectEqual(merge(merge(a, b), b), merge(a, b));
      }),
      { numRuns },
    );
  });

  it('loses nothing: every summary is in the record whole, once, as it was first received', () => {
    fc.assert(
      fc.property(summaries, (all) => {
        const { alternates = [], revision, unsuccessfulIn: _, ...shown } = all.map(newRecord).reduce(merge);
        const held = [shown, ...alternates];

        const first = new Map<string, ReceivedSummary>();
        for (const one of all) {
          const known = first.get(one.digest);
          if (known === undefined || one.receivedAt < known.receivedAt) first.set(one.digest, one);
        }
        expect(held.map(canonicalJson).sort()).toEqual([...first.values()].map(canonicalJson).sort());
        expect(revision).toBe(first.size);
      }),
      { numRuns },
    );
  });

  it('shows the summary that ends last, and of those that end together the one with the greatest digest', () => {
    fc.assert(
      fc.property(record, ({ alternates = [], ...shown }) => {
        const order = [shown, ...alternates].map(({ endTime, digest }) => `${endTime} ${digest}`);
        expect(order).toEqual(order.toSorted().reverse());
      }),
      { numRuns },
    );
  });
});

describe('a record', () => {
  it.each([
    ['COMPLETED', undefined],
    ['COMPLETED_UNSUBSCRIBED', undefined],
    ['COMPLETED_UNSUB_ERROR', undefined],
    ['UNSUBSCRIBED_CONTACT', undefined],
    ['NO_ANSWER', '8x8_test'],
    ['BUSY', '8x8_test'],
    ['CANCELED', '8x8_test'],
    ['FAILED', '8x8_test'],
    ['ERROR', '8x8_test'],
    ['Something new', '8x8_test'],
  ])('of status %s is in the index of unsuccessful sessions under %s', (sessionStatus, unsuccessfulIn) => {
    expect(newRecord(received({ sessionStatus })).unsuccessfulIn).toBe(unsuccessfulIn);
  });

  it('leaves the index when a later summary was successful, and enters it when it was not', () => {
    const failed = newRecord(received({ sessionStatus: 'FAILED' }));
    const later = { endTime: '2026-01-13T09:00:00Z' };

    expect(
      merge(failed, newRecord(received({ ...later, sessionStatus: 'COMPLETED' }))).unsuccessfulIn,
    ).toBeUndefined();
    expect(
      merge(newRecord(received()), newRecord(received({ ...later, sessionStatus: 'BUSY' }))),
    ).toHaveProperty('unsuccessfulIn', '8x8_test');
  });

  it('of one summary has no alternates', () => {
    expect(newRecord(received()).alternates).toBeUndefined();
  });

  it('is known by what merging needs', () => {
    const record = newRecord(received());

    expect(v.is(SessionRecord, record)).toBe(true);
    for (const name of [
      'sessionId',
      'subAccountId',
      'sessionStatus',
      'endTime',
      'digest',
      'receivedAt',
      'revision',
    ]) {
      expect(v.is(SessionRecord, { ...record, [name]: undefined })).toBe(false);
    }
    expect(v.is(SessionRecord, { ...record, alternates: [{}] })).toBe(false);
  });

  it('holds the summaries that were merged into it, and no other', () => {
    const [a, b, c] = [received(), received({ callCount: 1 }), received({ callCount: 2 })];
    const merged = merge(newRecord(a), newRecord(b));

    expect(holds(merged, a.digest)).toBe(true);
    expect(holds(merged, b.digest)).toBe(true);
    expect(holds(merged, c.digest)).toBe(false);
  });

  it('passes on attributes that another release of this software wrote', () => {
    const stored: SessionRecord = { ...newRecord(received()), attributeOfNextYear: { a: 1 } };

    const merged = merge(stored, newRecord(received({ endTime: '2026-01-13T09:00:00Z' })));

    expect(merged.alternates).toMatchObject([{ attributeOfNextYear: { a: 1 } }]);
  });
});

describe('a digest', () => {
  it('is the SHA-256 of the canonical summary, in hexadecimal, and depends on nothing else', () => {
    expect(received().digest).toMatch(/^[0-9a-f]{64}$/);
    expect(received({}, '2026-01-13T08:27:35.000Z').digest).toBe(received().digest);
    expect(received({ sessionStatus: 'completed', callCount: null }).digest).toBe(received().digest);
    expect(received({ callCount: 1 }).digest).not.toBe(received().digest);
  });
});

describe('the types', () => {
  it('say what a summary has', () => {
    expectTypeOf<Summary['sessionId']>().toEqualTypeOf<string>();
    expectTypeOf<Summary['callCount']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Summary['legs'][number]['callDuration']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Summary>().not.toHaveProperty('details');
    expectTypeOf<ReceivedSummary>().toExtend<Summary>();
  });
});
