import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { canonicalJson, type JsonObject } from '../../../functions/vss/json.ts';
import {
  merge,
  newRecord,
  type ReceivedSummary,
  receivedSummary,
  SessionRecord,
  standingOf,
  withoutLastAlternates,
} from '../../../functions/vss/record.ts';
import type { Summary } from '../../../functions/vss/summary.ts';
import { example, summaryBody, summaryOf } from '../summaries.ts';
import { delivery } from './deliveries.ts';

/**
 * A record is the set of summaries of a session, and merging is set union. The record contains every summary, and does
 * not depend on the order, number or grouping of the deliveries.
 */

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 25);
const RECEIVED_AT = '2026-01-13T08:27:34.567Z';

function received(
  payload: Readonly<Record<string, unknown>> = {},
  receivedAt = RECEIVED_AT,
): ReceivedSummary {
  return receivedSummary(summaryOf(summaryBody(payload)), receivedAt);
}

/** Summaries of one session: a few different ones, each received several times. */
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

/** The same, some of them reconstructed. */
const reconstructions = fc
  .tuple(summaries, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([all, flags]) =>
    all.map((summary, i) => (flags[i] ? { ...summary, reconstructedFrom: 'log-export' } : summary)),
  );

const record = fc.oneof(summaries, reconstructions).map((all) => all.map(newRecord).reduce(merge));

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

  it('keeps every summary complete and once, with its earliest time of receipt', () => {
    fc.assert(
      fc.property(summaries, (all) => {
        const record = all.map(newRecord).reduce(merge);
        const { alternates = [], revision, unsuccessfulIn: _, unsuccessfulAt: __, ...shown } = record;
        const kept = [shown, ...alternates];

        const first = new Map<string, ReceivedSummary>();
        for (const one of all) {
          const known = first.get(one.digest);
          if (known === undefined || one.receivedAt < known.receivedAt) first.set(one.digest, one);
        }
        expect(kept.map(canonicalJson).sort()).toEqual([...first.values()].map(canonicalJson).sort());
        expect(revision).toBe(first.size);
      }),
      { numRuns },
    );
  });

  it('gives the record of the delivered summaries alone, in whatever order reconstructions are among them', () => {
    fc.assert(
      fc.property(reconstructions, (all) => {
        const delivered = all.filter((summary) => !('reconstructedFrom' in summary));
        fc.pre(delivered.length > 0);
        expectEqual(all.map(newRecord).reduce(merge), delivered.map(newRecord).reduce(merge));
      }),
      { numRuns },
    );
  });

  it('keeps only the newest of several reconstructions', () => {
    const at = (callCount: number, minute: number) =>
      newRecord({
        ...received({ callCount }, `2026-01-14T06:0${minute}:00.000Z`),
        reconstructedFrom: 'log-export',
      });
    const [first, second] = [at(1, 0), at(2, 5)];

    for (const all of [
      [first, second, first],
      [second, first],
      [second, second, first],
    ])
      expectEqual(all.reduce(merge), second);
    expect(second).toMatchObject({ reconstructedFrom: 'log-export', callCount: 2 });
    expect(second.alternates).toBeUndefined();
  });

  it('orders summaries by end time, then by time of receipt, and shows the latest', () => {
    fc.assert(
      fc.property(record, ({ alternates = [], ...shown }) => {
        const order = [shown, ...alternates].map(
          ({ endTime = '', receivedAt, digest }) => `${endTime} ${receivedAt} ${digest}`,
        );
        expect(order).toEqual(order.toSorted().reverse());
      }),
      { numRuns },
    );
  });

  it('shows a correction with the same times that was received later, regardless of the recording order', () => {
    const busy = newRecord(received({ sessionStatus: 'BUSY' }, '2026-01-13T08:27:34.000Z'));
    for (const callCount of Array(30).keys()) {
      const completed = newRecord(received({ callCount }, '2026-01-13T08:27:37.000Z'));

      for (const merged of [merge(busy, completed), merge(completed, busy)])
        expect(merged).toMatchObject({ sessionStatus: 'COMPLETED', unsuccessfulIn: undefined });
    }
  });

  it('prefers a summary with an end time to a later one without', () => {
    const ended = newRecord(received());
    const unended = newRecord(received({ endTime: null }, '2026-01-13T09:00:00.000Z'));

    expectEqual(merge(ended, unended), merge(unended, ended));
    expect(merge(ended, unended)).toMatchObject({ digest: ended.digest });
  });

  it('deterministically keeps one of two variants of a summary that were received at the same time', () => {
    const variant = (eventId: number) => {
      const body = JSON.stringify({ ...JSON.parse(summaryBody()), eventId });
      return newRecord(receivedSummary(summaryOf(body), RECEIVED_AT));
    };

    expect(variant(1).digest).toBe(variant(2).digest);
    expectEqual(merge(variant(1), variant(2)), variant(1));
    expectEqual(merge(variant(2), variant(1)), variant(1));
  });

  it('keeps the earliest time of receipt of a summary, which can change the summary that is shown', () => {
    const [early, between, late] = ['34', '35', '36'].map((second) => `2026-01-13T08:27:${second}.000Z`);
    const busy = (time?: string) => newRecord(received({ sessionStatus: 'BUSY' }, time));
    const shown = merge(busy(late), newRecord(received({}, between)));

    expect(shown.sessionStatus).toBe('BUSY');
    expect(merge(shown, busy(early))).toMatchObject({
      sessionStatus: 'COMPLETED',
      alternates: [{ sessionStatus: 'BUSY', receivedAt: early }],
    });
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

  it('leaves the index when a later summary is successful, and enters it when it is unsuccessful', () => {
    const failed = newRecord(received({ sessionStatus: 'FAILED' }));
    const later = { endTime: '2026-01-13T09:00:00Z' };

    expect(
      merge(failed, newRecord(received({ ...later, sessionStatus: 'COMPLETED' }))).unsuccessfulIn,
    ).toBeUndefined();
    expect(
      merge(newRecord(received()), newRecord(received({ ...later, sessionStatus: 'BUSY' }))),
    ).toHaveProperty('unsuccessfulIn', '8x8_test');
  });

  it.each([
    ['end time', {}, '2026-01-13T08:27:33.000Z'],
    ['time of receipt if it has no end time', { endTime: null }, RECEIVED_AT],
  ])('of an unsuccessful session is indexed by its %s', (_, payload, unsuccessfulAt) => {
    expect(newRecord(received({ sessionStatus: 'BUSY', ...payload }))).toMatchObject({ unsuccessfulAt });
    expect(newRecord(received(payload)).unsuccessfulAt).toBeUndefined();
  });

  it('puts a session without a status into the index of unsuccessful sessions', () => {
    expect(newRecord(received({ sessionStatus: null }))).toMatchObject({ unsuccessfulIn: '8x8_test' });
  });

  it('has no alternates if it has one summary', () => {
    expect(newRecord(received()).alternates).toBeUndefined();
  });

  it('is valid only with the attributes that merging needs', () => {
    const record = newRecord(received());

    expect(v.is(SessionRecord, record)).toBe(true);
    for (const name of ['sessionId', 'subAccountId', 'digest', 'receivedAt', 'revision']) {
      expect(v.is(SessionRecord, { ...record, [name]: undefined })).toBe(false);
    }
    expect(v.is(SessionRecord, { ...record, alternates: [{}] })).toBe(false);
  });

  it('recognises exactly the summaries that were merged into it', () => {
    const [a, b, c] = [received(), received({ callCount: 1 }), received({ callCount: 2 })];
    const merged = merge(newRecord(a), newRecord(b));

    expect([a, b, c].map((summary) => standingOf(summary, merged))).toEqual(['known', 'known', 'new']);
    expect(standingOf({ ...a, receivedAt: '2026-01-13T08:27:34.568Z' }, merged)).toBe('known');
    expect(standingOf({ ...a, receivedAt: '2026-01-13T08:27:34.566Z' }, merged)).toBe('earlier');
  });

  it('tells the first delivered summary and a newer reconstruction from known ones', () => {
    const delivered = received();
    const reconstructed = (receivedAt: string) => ({
      ...received({ callCount: 7 }, receivedAt),
      reconstructedFrom: 'log-export',
    });
    const [old, recent] = ['2026-01-14T06:00:00.000Z', '2026-01-16T06:00:00.000Z'].map(reconstructed);
    if (!old || !recent) throw new Error('two reconstructions');

    expect(standingOf(delivered, newRecord(old))).toBe('first');
    // Even with the same content: the record must lose its mark.
    expect(standingOf({ ...old, reconstructedFrom: undefined }, newRecord(old))).toBe('first');
    expect(standingOf(recent, newRecord(old))).toBe('newer');
    expect(standingOf(old, newRecord(recent))).toBe('known');
    expect(standingOf(old, newRecord(old))).toBe('known');
    expect(standingOf(recent, newRecord(delivered))).toBe('known');
  });

  it('that is too large loses its oldest alternates, a third of its size, but not the shown summary', () => {
    const summaries = Array.from({ length: 30 }, (_, second) =>
      received({ sessionStatus: 'BUSY', endTime: `2026-01-13T08:27:${10 + second}Z` }),
    );
    const record = summaries.map(newRecord).reduce(merge);

    const { record: smaller, removed = [] } = withoutLastAlternates(record) ?? {};

    const kept = [smaller, ...(smaller?.alternates ?? [])];
    expect(kept.map((one) => one?.['endTime'])).toEqual(
      summaries
        .slice(removed.length)
        .map(({ endTime }) => endTime)
        .reverse(),
    );
    expect([...kept, ...removed].map((one) => one?.['digest']).toSorted()).toEqual(
      summaries.map(({ digest }) => digest).toSorted(),
    );
    const size = (value: unknown) => JSON.stringify(value).length;
    const commas = summaries.length;
    expect(size(smaller)).toBeLessThanOrEqual((2 / 3) * size(record) + commas);
    expect(size(smaller) + size(removed[0])).toBeGreaterThan((2 / 3) * size(record) - commas);
    expect(smaller).toMatchObject({ unsuccessfulIn: '8x8_test' });
  });

  it('cannot become smaller without alternates', () => {
    expect(withoutLastAlternates(newRecord(received()))).toBeUndefined();
  });

  it('keeps unknown attributes, which another release may have written', () => {
    const stored: SessionRecord = { ...newRecord(received()), attributeOfNextYear: { a: 1 } };

    const merged = merge(stored, newRecord(received({ endTime: '2026-01-13T09:00:00Z' })));

    expect(merged.alternates).toMatchObject([{ attributeOfNextYear: { a: 1 } }]);
  });
});

/** The digest of a delivery with these fields in its payload and its envelope. */
const digestOf = (payload: Readonly<Record<string, unknown>>, event: JsonObject = {}) =>
  summaryOf(summaryBody(payload, event)).digest;

describe('a digest', () => {
  it('is a SHA-256 in hexadecimal', () => {
    expect(digestOf({})).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['an event id', { eventId: 'e-1' }],
    ['a timestamp', { timestamp: '2026-01-13T08:27:35Z' }],
    ['another version', { version: 6 }],
    ['another description', { description: 'Summary' }],
  ])('ignores %s in the envelope', (_, event) => {
    expect(digestOf({}, event)).toBe(digestOf({}));
  });

  it.each([
    ['another spelling of the status', { sessionStatus: 'completed' }],
    ['a field without a value', { callCount: null }],
    ['an unknown field without a value', { sipCode: 'null' }],
    ['a time with an offset', { endTime: '2026-01-13T16:27:33.000+0800' }],
    ['a time in milliseconds', { startTime: Date.parse('2026-01-13T08:26:58Z') }],
    ['a name in another case', { sessionStatus: undefined, SessionSTATUS: 'COMPLETED' }],
  ])('does not change with %s', (_, payload) => {
    expect(digestOf(payload)).toBe(digestOf({}));
  });

  it('changes with the value of any field, known or unknown', () => {
    const payloads = [
      {},
      { callCount: 1 },
      { callCount: 2 },
      { clientRequestId: 'a b' },
      { clientRequestId: 'ab' },
      { clientRequestId: '007' },
      { clientRequestId: '7' },
      { answerTime: '2026-01-13T08:27:00Z' },
      { dtmf: '1' },
      { dtmf: 1 },
      { tags: ['1', '2'] },
      { tags: ['2', '1'] },
      { details: { callA: { callDuration: 5 } } },
      { details: { callB: { callDuration: 5 } } },
      { callA: { callDuration: 5 } },
      { sessionStatus: 'BUSY', SessionStatus: 'FAILED' },
      { sessionStatus: 'FAILED', SessionStatus: 'BUSY' },
      { details: { callA: { callId: 'x' }, CallA: { callId: 'y' } } },
      { details: { callA: { callId: 'y' }, CallA: { callId: 'x' } } },
      { details: { callA: { callDuration: 5 }, callB: {} } },
      { startTime: '2026-01-13T08:26:58.123456Z' },
      { startTime: '2026-01-13T08:26:58.123999Z' },
      { tags: [] },
      { tags: [null] },
      { tags: [{}] },
      { areaCode: '007' },
      { areaCode: '7' },
    ];

    expect(new Set(payloads.map((payload) => digestOf(payload))).size).toBe(payloads.length);
  });

  it.each([
    ['ivr-busy', '65187bb010eca8eeec36a80511d884ecefc2da3a9773c7e905f539392b8fcd4d'],
    ['number-masking-error', 'a288704cf0996ab6c4a568adf80df577c0713d04f057c2f8ddffe6d32efdba82'],
    ['voice-messaging-answered', '6373e4ecc0ead1beb1ffde0bf82b5ffc02a4e2332a6ff5550e201ec13991f980'],
  ])('of the published example %s is the same in every release', (name, digest) => {
    expect(summaryOf(example(name)).digest).toBe(digest);
  });

  it('does not change when a release learns fields of its payload', () => {
    const unknown = { ringStatus: 'no answer', ringCount: '3', ringTime: '2026-01-13T16:27:33+08:00' };
    const canonical = { ringStatus: 'NO_ANSWER', ringCount: 3, ringTime: '2026-01-13T08:27:33.000Z' };

    expect(digestOf(unknown)).toBe(digestOf(canonical));
  });

  it('matches the record of an older release that did not know a field', () => {
    const { lastAction, ...others } = received({ lastAction: 'say' });
    const recordedBefore = newRecord({ ...others, unrecognised: { 'payload.lastAction': 'say' } });

    expect(lastAction).toBe('SAY');
    expect(standingOf(received({ lastAction: 'say' }, '2026-01-14T00:00:00.000Z'), recordedBefore)).toBe(
      'known',
    );
  });
});

describe('the type Summary', () => {
  it('has the known fields with their types', () => {
    expectTypeOf<Summary['sessionId']>().toEqualTypeOf<string>();
    expectTypeOf<Summary['callCount']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Summary['legs'][number]['callDuration']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Summary>().not.toHaveProperty('details');
    expectTypeOf<ReceivedSummary>().toExtend<Summary>();
  });
});
