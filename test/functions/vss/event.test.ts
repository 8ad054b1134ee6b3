import fc from 'fast-check';
import { expect, it } from 'vitest';
import { identify, MAX_KEYS } from '../../../functions/vss/event.ts';
import type { Json } from '../../../functions/vss/json.ts';
import { FIELDS } from '../../../functions/vss/payload.ts';
import { readSummary } from '../../../functions/vss/summary.ts';
import { hostileBodies } from '../../fuzz/hostile.ts';
import { randomFrom } from '../../random.ts';
import { summaryBody } from '../summaries.ts';
import { anyJson } from './deliveries.ts';

/** The webhook, which only identifies a summary, accepts exactly the bodies that the recorder can read. */

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 100);

function expectAgreement(body: string, label?: string): void {
  const read = readSummary(body);
  if (read.outcome === 'summary') {
    const { sessionId, subAccountId } = read.summary;
    expect(identify(body), label).toEqual({ outcome: 'summary', sessionId, subAccountId });
  } else {
    expect(identify(body), label).toEqual(read);
  }
}

/** parse-all.test.ts compares them for the largest bodies, which cost 30 milliseconds of CPU each. */
const MAX_BYTES = 100_000;

it('identify and readSummary agree on hostile bodies', () => {
  const seed = Date.now() % 1_000_000;
  const bodies = hostileBodies(randomFrom(seed))
    .filter(({ length }) => length < MAX_BYTES)
    .take(numRuns);

  for (const [i, body] of bodies.toArray().entries())
    expectAgreement(body.toString(), `body ${i} of seed ${seed}`);
});

it('identify and readSummary agree on summaries with any value in a required field', () => {
  const required = fc.constantFrom('sessionId', 'subAccountId', 'sessionStatus', 'startTime', 'endTime');
  const spelling = fc.constantFrom(
    (name: string) => name,
    (name: string) => name.toUpperCase(),
  );
  const value = fc.oneof(
    fc.constantFrom<Json>(null, '', 'null', '2026-01-13T08:27:33+05:00', 'a b'),
    anyJson,
  );

  fc.assert(
    fc.property(required, spelling, value, (name, spelled, changed) => {
      expectAgreement(summaryBody({ [name]: undefined, [spelled(name)]: changed }));
    }),
    { numRuns },
  );
});

it('identify and readSummary agree on every type of event', () => {
  const types = [
    'SESSION_SUMMARY',
    'Session Summary',
    'CALL_ACTION',
    'callStatus',
    'SOMETHING',
    '',
    'null',
    1,
  ];

  for (const eventType of types) expectAgreement(summaryBody({}, { eventType }));
});

it('identify and readSummary agree on the maximum number of keys', () => {
  const keysBeside = JSON.stringify(summaryBody({})).match(/\\":/g)?.length ?? 0;
  const bodyOf = (keys: number) =>
    summaryBody({ lists: Array.from({ length: keys - keysBeside - 1 }, (_, i) => ({ [`k${i}`]: i })) });

  expectAgreement(bodyOf(MAX_KEYS));
  expectAgreement(bodyOf(MAX_KEYS + 1));
  expect(identify(bodyOf(MAX_KEYS))).toMatchObject({ outcome: 'summary' });
  expect(identify(bodyOf(MAX_KEYS + 1))).toEqual({ outcome: 'invalid-json' });
});

it('the maximum number of keys is more than twice that of a summary with 26 complete legs', () => {
  const { event, payload, leg, callQuality, errorDetails } = FIELDS;
  const inLeg = Object.keys({ ...leg, ...callQuality, ...errorDetails }).length;
  const beside = [event, payload, errorDetails].flatMap(Object.keys).length;

  expect(beside + 26 * (1 + inLeg)).toBeLessThan(700);
  expect(MAX_KEYS).toBeGreaterThan(2 * 700);
});
