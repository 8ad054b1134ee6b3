import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDigest } from '../../../functions/vss/content.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../functions/vss/json.ts';
import { FIELDS } from '../../../functions/vss/payload.ts';
import { anyJson, delivery } from './deliveries.ts';

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 100);

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

  it('have the same content if their keys differ in order and case, at any depth', () => {
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

  it.each<[string, Json, Json]>([
    ['error details', {}, { ErrorDetails: { errorCode: null, hint: '' } }],
    ['details', { errorDetails: {} }, { details: { callA: null, callB: '' } }],
    [
      'objects in a leg',
      { details: { callA: {}, 'transfer-1': {} } },
      {
        details: {
          callA: { callQuality: { MOS: 'null' } },
          'transfer-1': { callQuality: {}, errorDetails: {} },
        },
      },
    ],
  ])('if one lacks %s and the other has them without a value', (_, a, b) => {
    expect(areEqual(a, b)).toBe(true);
  });

  it('have the same content if one has more documented fields and objects without a value, anywhere', () => {
    fc.assert(
      fc.property(payload, withoutContent, (delivered, added) => {
        expect(areEqual(delivered, withAdded(delivered, added))).toBe(true);
      }),
      { numRuns },
    );
  });

  it('have the same content if they spell the words in a list differently', () => {
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
    ['an empty leg', { details: {} }, { details: { callA: {} } }],
    ['empty error details at an undocumented place', { menu: {} }, { menu: { errorDetails: {} } }],
    ['call quality of the whole session', {}, { callQuality: {} }],
    [
      'call quality in what cannot be a leg',
      { details: { 'a b': {} } },
      { details: { 'a b': { callQuality: {} } } },
    ],
    ['call quality in a list', { details: { callA: [{}] } }, { details: { callA: [{ callQuality: {} }] } }],
    ['an empty list in place of an object', {}, { errorDetails: [] }],
    ['an empty object in place of a text', {}, { clientRequestId: {} }],
    ['an unknown empty object in error details', {}, { errorDetails: { cause: {} } }],
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

  it('differ if one has an undocumented field with any value, anywhere', () => {
    fc.assert(
      fc.property(payload, fc.nat(), something, (delivered, place, value) => {
        const objects = objectsIn(delivered);
        const chosen = objects[place % objects.length];
        const extended = JSON.stringify(delivered, (_, inner) =>
          inner === chosen ? { ...chosen, undocumented: value } : inner,
        );

        expect(areEqual(delivered, JSON.parse(extended))).toBe(false);
      }),
      { numRuns },
    );
  });

  it('differ if one is null and the other is an empty object', () => {
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

/** The payload of an arbitrary delivery, without objects that occur twice in it. */
const payload = delivery.map((delivered): JsonObject => JSON.parse(JSON.stringify(delivered)).payload);

const nothing = fc.constantFrom<Json>(null, '', 'null', 'NULL');

/** An object with any of these fields, none of which has a value, and any of these objects. */
function objectOf(
  fields: readonly string[],
  objects: Readonly<Record<string, fc.Arbitrary<Json>>> = {},
): fc.Arbitrary<JsonObject> {
  const field = fc.tuple(fc.constantFrom(...fields), nothing);
  const others = Object.entries(objects).map(([name, object]) => fc.tuple(fc.constant(name), object));
  return fc.array(fc.oneof(field, ...others), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
}

const callQuality = objectOf(Object.keys(FIELDS.callQuality));
const errorDetails = objectOf(Object.keys(FIELDS.errorDetails));
const leg = objectOf(Object.keys(FIELDS.leg), { callQuality, errorDetails });
const details = objectOf(['callX', 'callY'], { callA: leg, CallB: leg, other: leg });

/** A payload with any documented fields and objects, none of which has a value. */
const withoutContent = objectOf(Object.keys(FIELDS.payload), { errorDetails, details });

/** Any value that is not the same as an absent one. */
const something = fc.oneof(
  fc.constantFrom<Json>({}, [], { callQuality: {} }, { errorDetails: { errorCode: null } }),
  anyJson.filter((value) => value !== null && (typeof value !== 'string' || !/^(?:null)?$/i.test(value))),
);

/** Adds the fields that an object lacks, at any depth, but no legs, and none beside two spellings of one name. */
function withAdded(object: JsonObject, added: JsonObject, place?: string): JsonObject {
  const keys = new Map(Object.keys(object).map((key) => [key.toLowerCase(), key]));
  if (keys.size < Object.keys(object).length) return object;
  const merged = Object.entries(added).flatMap(([name, value]): [string, Json][] => {
    const key = keys.get(name.toLowerCase());
    if (!isJsonObject(value)) return key === undefined ? [[name, value]] : [];
    if (key === undefined) return place === 'details' ? [] : [[name, withAdded({}, value, name)]];
    const present = object[key] ?? null;
    return isJsonObject(present) ? [[key, withAdded(present, value, name)]] : [];
  });
  return Object.fromEntries([...Object.entries(object), ...merged]);
}

/** All objects in a value, the value itself first. */
function objectsIn(value: Json): JsonObject[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...(isJsonObject(value) ? [value] : []), ...Object.values(value).flatMap(objectsIn)];
}
