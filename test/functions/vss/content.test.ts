import { describe, expect, it } from 'vitest';
import { contentDigest } from '../../../functions/vss/content.ts';
import type { Json } from '../../../functions/vss/json.ts';

const areEqual = (a: Json, b: Json) => contentDigest(a) === contentDigest(b);

function nested(levels: number, innermost: Json): Json {
  return levels === 0 ? innermost : [nested(levels - 1, innermost)];
}

describe('two payloads have the same digest', () => {
  it.each(['ringStatus', 'lastAction', 'callDirection', 'callType', 'sourceFormat', 'STATUS'])(
    'if they spell a word differently in the field %s',
    (name) => {
      expect(areEqual({ [name]: 'NO ANSWER' }, { [name]: 'no_answer' })).toBe(true);
      expect(areEqual({ [name]: 'Cancelled' }, { [name]: 'CANCELED' })).toBe(true);
      expect(areEqual({ [name]: 'NO ANSWER' }, { [name]: 'ANSWER' })).toBe(false);
    },
  );

  it.each(['callCount', 'errorCode', 'callDuration', 'mos', 'packetLossRate', 'jitter'])(
    'if one has a number and the other its text in the field %s',
    (name) => {
      expect(areEqual({ [name]: '-2004' }, { [name]: -2004 })).toBe(true);
      expect(areEqual({ [name]: '0.5' }, { [name]: 0.5 })).toBe(true);
      expect(areEqual({ [name]: '20ms' }, { [name]: 20 })).toBe(false);
      expect(areEqual({ [name]: '20ms' }, { [name]: '30ms' })).toBe(false);
    },
  );

  it.each(['startTime', 'initiatedTimestamp', 'time'])(
    'if they format a time differently in the field %s',
    (name) => {
      const utc = { [name]: '2026-01-13T08:27:33.000Z' };

      expect(areEqual({ [name]: '2026-01-13 16:27:33+08:00' }, utc)).toBe(true);
      expect(areEqual({ [name]: Date.parse('2026-01-13T08:27:33Z') }, utc)).toBe(true);
      expect(areEqual({ [name]: `1${Date.parse('2026-01-13T08:27:33Z')}` }, utc)).toBe(false);
      expect(areEqual({ [name]: 5 }, utc)).toBe(false);
    },
  );

  it('if their keys differ in order and case, at any depth', () => {
    expect(
      areEqual(
        { a: 1, Details: { callA: { b: [{ c: 2, d: 3 }] } } },
        { details: { CALLA: { B: [{ D: 3, C: 2 }] } }, A: 1 },
      ),
    ).toBe(true);
    expect(areEqual(nested(31, { a: 1 }), nested(31, { A: 1 }))).toBe(true);
  });

  it.each([null, '', 'null', 'NULL'])('if one lacks a field and the other has it as %j', (nothing) => {
    expect(areEqual({ a: 1, b: nothing }, { a: 1 })).toBe(true);
  });

  it('if they spell the words in a list differently', () => {
    expect(areEqual({ callType: ['pstn', 'VoIP'] }, { callType: ['PSTN', 'voip'] })).toBe(true);
  });
});

describe('two payloads have different digests', () => {
  it.each<[string, Json, Json]>([
    ['a word in a field without enumerated words', { statusText: 'No Answer' }, { statusText: 'NO_ANSWER' }],
    ['a number and its text in a field that is not numeric', { countryCodes: '7' }, { countryCodes: 7 }],
    [
      'a time in a field that is not a time',
      { timeZone: '2026-01-13 08:27:33' },
      { timeZone: '2026-01-13T08:27:33.000Z' },
    ],
    ['a number with a leading zero', { areaCode: '007' }, { areaCode: '7' }],
    ['a boolean and its text', { flag: true }, { flag: 'true' }],
    ['a number and its text in a text field', { note: 5 }, { note: '5' }],
    ['an absent value and an empty object', {}, { a: {} }],
    ['the order of a list', { a: [1, 2] }, { a: [2, 1] }],
    ['an empty list and a list of null', { a: [] }, { a: [null] }],
    ['a list and an object', { a: ['b'] }, { a: { b: 'b' } }],
    ['the swapped values of two spellings of one name', { a: 1, A: 2 }, { a: 2, A: 1 }],
    ['two spellings of one name and only one of them', { a: 1, A: 2 }, { A: 2 }],
    ['a key that contains the JSON of another key', { 'a":1,"b': 2 }, { a: 1, b: 2 }],
    ['a deeply nested value', nested(40, { a: 1 }), nested(40, { a: 2 })],
    ['the case of a key below the depth of normalisation', nested(32, { a: 1 }), nested(32, { A: 1 })],
  ])('if they differ in %s', (_, a, b) => {
    expect(areEqual(a, b)).toBe(false);
  });

  it('if one is null and the other is an empty object', () => {
    expect(areEqual(null, {})).toBe(false);
    expect(areEqual(null, '')).toBe(true);
  });
});

it.each([
  ['[', ']'],
  ['{"a":', '}'],
])('a digest can be computed of a value that is nested deeper than the stack: %s', (open, close) => {
  const deep: Json = JSON.parse(`${open.repeat(100_000)}1${close.repeat(100_000)}`);

  expect(contentDigest({ deep })).toMatch(/^[0-9a-f]{64}$/);
});
