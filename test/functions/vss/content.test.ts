import { describe, expect, it } from 'vitest';
import { contentDigest } from '../../../functions/vss/content.ts';
import type { Json } from '../../../functions/vss/json.ts';

/** What a payload's digest compares, and what it does not. */

const areEqual = (a: Json, b: Json) => contentDigest(a) === contentDigest(b);

function nested(levels: number, innermost: Json): Json {
  return levels === 0 ? innermost : [nested(levels - 1, innermost)];
}

describe('a digest is the same', () => {
  it.each(['ringStatus', 'lastAction', 'callDirection', 'callType', 'sourceFormat', 'STATUS'])(
    'for the spellings of a word in the field %s',
    (name) => {
      expect(areEqual({ [name]: 'NO ANSWER' }, { [name]: 'no_answer' })).toBe(true);
      expect(areEqual({ [name]: 'Cancelled' }, { [name]: 'CANCELED' })).toBe(true);
      expect(areEqual({ [name]: 'NO ANSWER' }, { [name]: 'ANSWER' })).toBe(false);
    },
  );

  it.each(['callCount', 'errorCode', 'callDuration', 'mos', 'packetLossRate', 'jitter'])(
    'for a number and its text in the field %s',
    (name) => {
      expect(areEqual({ [name]: '-2004' }, { [name]: -2004 })).toBe(true);
      expect(areEqual({ [name]: '0.5' }, { [name]: 0.5 })).toBe(true);
      expect(areEqual({ [name]: '20ms' }, { [name]: 20 })).toBe(false);
      expect(areEqual({ [name]: '20ms' }, { [name]: '30ms' })).toBe(false);
    },
  );

  it.each(['startTime', 'initiatedTimestamp', 'time'])('for the forms of a time in the field %s', (name) => {
    const utc = { [name]: '2026-01-13T08:27:33.000Z' };

    expect(areEqual({ [name]: '2026-01-13 16:27:33+08:00' }, utc)).toBe(true);
    expect(areEqual({ [name]: Date.parse('2026-01-13T08:27:33Z') }, utc)).toBe(true);
    expect(areEqual({ [name]: `1${Date.parse('2026-01-13T08:27:33Z')}` }, utc)).toBe(false);
    expect(areEqual({ [name]: 5 }, utc)).toBe(false);
  });

  it('for keys in another order and case, at any place', () => {
    expect(
      areEqual(
        { a: 1, Details: { callA: { b: [{ c: 2, d: 3 }] } } },
        { details: { CALLA: { B: [{ D: 3, C: 2 }] } }, A: 1 },
      ),
    ).toBe(true);
    expect(areEqual(nested(31, { a: 1 }), nested(31, { A: 1 }))).toBe(true);
  });

  it.each([null, '', 'null', 'NULL'])('for a field without a value, %j, and none', (nothing) => {
    expect(areEqual({ a: 1, b: nothing }, { a: 1 })).toBe(true);
  });

  it('for the words of a list, each in another spelling', () => {
    expect(areEqual({ callType: ['pstn', 'VoIP'] }, { callType: ['PSTN', 'voip'] })).toBe(true);
  });
});

describe('a digest is another', () => {
  it.each<[string, Json, Json]>([
    ['a text that names no word', { statusText: 'No Answer' }, { statusText: 'NO_ANSWER' }],
    ['a text that names no number', { countryCodes: '7' }, { countryCodes: 7 }],
    [
      'a text that names no time',
      { timeZone: '2026-01-13 08:27:33' },
      { timeZone: '2026-01-13T08:27:33.000Z' },
    ],
    ['a number with a leading zero', { areaCode: '007' }, { areaCode: '7' }],
    ['a boolean and its text', { flag: true }, { flag: 'true' }],
    ['a number and its text, where texts are expected', { note: 5 }, { note: '5' }],
    ['no value and an empty object', {}, { a: {} }],
    ['lists in another order', { a: [1, 2] }, { a: [2, 1] }],
    ['lists of nothing', { a: [] }, { a: [null] }],
    ['a list and an object', { a: ['b'] }, { a: { b: 'b' } }],
    ['two spellings of one name, swapped', { a: 1, A: 2 }, { a: 2, A: 1 }],
    ['two spellings of one name, and one of them', { a: 1, A: 2 }, { A: 2 }],
    ['keys and values that look alike', { 'a":1,"b': 2 }, { a: 1, b: 2 }],
    ['values at the greatest depth', nested(40, { a: 1 }), nested(40, { a: 2 })],
    ['keys in another case, deeper than is normalised', nested(32, { a: 1 }), nested(32, { A: 1 })],
  ])('for %s', (_, a, b) => {
    expect(areEqual(a, b)).toBe(false);
  });

  it('for a payload of nothing and one of something', () => {
    expect(areEqual(null, {})).toBe(false);
    expect(areEqual(null, '')).toBe(true);
  });
});

it.each([
  ['[', ']'],
  ['{"a":', '}'],
])('can be made of a value that is nested deeper than the stack: %s', (open, close) => {
  const deep: Json = JSON.parse(`${open.repeat(100_000)}1${close.repeat(100_000)}`);

  expect(contentDigest({ deep })).toMatch(/^[0-9a-f]{64}$/);
});
