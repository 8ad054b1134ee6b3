import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { canonicalJson, isJsonObject, type Json } from '../../../functions/vss/json.ts';
import { parseJson } from '../../../functions/vss/parse-json.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { readSummary, type Summary } from '../../../functions/vss/summary.ts';
import { summaryBody, summaryOf } from '../summaries.ts';
import { anyJson, codePoint, delivery } from './deliveries.ts';
import { rebuild, unwrap } from './rebuild.ts';

/**
 * Canonicalisation is lossless: the record contains every delivered value, unchanged or in a documented equivalent form.
 * What could break it: an unforeseen field, a key that is special in JavaScript, a value that JSON, JavaScript or
 * DynamoDB cannot represent exactly, and a name that two fields share.
 */

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 100);

/** Equivalent deliveries may have different digests. */
const withoutDigest = (summary: Summary) => parseJson(canonicalJson({ ...summary, digest: '' }));

describe('a summary', () => {
  it('contains everything that is needed to rebuild a delivery with the same canonical form', () => {
    fc.assert(
      fc.property(delivery, (delivered) => {
        const summary = summaryOf(JSON.stringify(delivered));

        const again = summaryOf(JSON.stringify(rebuild(summary)));

        expect(withoutDigest(again)).toEqual(withoutDigest(summary));
      }),
      { numRuns },
    );
  });

  it('contains every delivered leaf value, or its documented equivalent', () => {
    fc.assert(
      fc.property(delivery, (delivered) => {
        const shown = new Set(leaves(plain(summaryOf(JSON.stringify(delivered)))).flatMap(equivalents));

        for (const leaf of leaves(parseJson(JSON.stringify(delivered)))) {
          expect([...equivalents(leaf), leaf].some((value) => shown.has(value) || CONSTANTS.has(value))).toBe(
            true,
          );
        }
      }),
      { numRuns },
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(delivery, (delivered) => {
        const reversed = reverseKeys(delivered);

        expect(summaryOf(JSON.stringify(reversed)).digest).toBe(summaryOf(JSON.stringify(delivered)).digest);
      }),
      { numRuns },
    );
  });

  it('contains only values that DynamoDB and the SDK store unchanged', () => {
    fc.assert(
      fc.property(delivery, (delivered) => {
        const record = newRecord(
          receivedSummary(summaryOf(JSON.stringify(delivered)), '2026-01-13T08:27:34.567Z'),
        );

        expectStorable(record, 1);
        expect(canonicalJson(fromItem(toItem(record)))).toBe(canonicalJson(record));
      }),
      { numRuns },
    );
  });

  it('does not pollute Object.prototype', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);

    const summary = summaryOf(
      summaryBody({ details: { callA: { __proto__: null, a: 1 } } }).replaceAll(
        '"a":1',
        '"__proto__":{"polluted":1}',
      ),
    );

    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(summary.unrecognised).toEqual({ 'payload.details.callA["__proto__"]': { polluted: 1 } });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('any body', () => {
  it('is parsed without an exception', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyJson.map((json) => JSON.stringify(json)),
          fc.string({ unit: codePoint }),
        ),
        (body) => {
          expect(['invalid-json', 'invalid-summary', 'unsupported-event', 'summary']).toContain(
            readSummary(body).outcome,
          );
        },
      ),
      { numRuns },
    );
  });

  it('keeps deep and wide values completely', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const wide = `{${Array.from({ length: 1_900 }, (_, i) => `"k${i}":${i}`).join()}}`;
    const body = summaryBody({}).replace('"namespace"', `"deep":${deep},"wide":${wide},"namespace"`);

    const summary = summaryOf(body);

    expect(canonicalJson(unwrap(summary.unrecognised?.['deep'] ?? null))).toBe(deep);
    expect(canonicalJson(summary.unrecognised?.['wide'])).toBe(canonicalJson(parseJson(wide)));
  });
});

/** Constants of every valid summary, which are not stored. */
const CONSTANTS = new Set<unknown>(['SESSION_SUMMARY', 'VOICE', 'Summary of a completed call session']);

/** The forms in which a record may have a value, by the rules of the README. */
function equivalents(leaf: unknown): unknown[] {
  if (typeof leaf === 'number') return [leaf, `${leaf}`, ...epochOf(`${leaf}`)];
  if (typeof leaf !== 'string') return [leaf];
  const time = /^\s*\d{4}-\d\d-\d\d[T ]\d\d:/i.test(leaf) ? new Date(isoOf(leaf)) : undefined;
  return [
    leaf,
    leaf
      .replace(/[\s_-]+/g, '')
      .toLowerCase()
      .replace('cancelled', 'canceled'),
    ...(/^-?\d{1,15}(\.\d+)?$/.test(leaf) ? [`${Number(leaf)}`] : []),
    ...(time && !Number.isNaN(time.getTime()) ? [time.toISOString()] : []),
    ...epochOf(leaf),
  ];
}

/** Digits as seconds or milliseconds since 1970. */
function epochOf(digits: string): string[] {
  if (/^\d{10}(\.\d{1,3})?$/.test(digits))
    return [new Date(Math.round(Number(digits) * 1_000)).toISOString()];
  return /^\d{13}$/.test(digits) ? [new Date(Number(digits)).toISOString()] : [];
}

/** A time in the format that JavaScript parses: with a T, a decimal point and an offset. */
function isoOf(time: string): string {
  const iso = time
    .trim()
    .toUpperCase()
    .replace(/^(.{10}) /, '$1T')
    .replace(',', '.')
    .replace(/ ?(UTC|GMT)$/, 'Z');
  const offset = /(Z|[+-]\d\d(:?\d\d)?)$/.test(iso.slice(10)) ? '' : 'Z';
  return `${iso}${offset}`.replace(/([+-]\d\d)(\d\d)$/, '$1:$2').replace(/(T.*[+-]\d\d)$/, '$1:00');
}

/** Every text, number and boolean in a value, including those in JSON texts, which wrap values that DynamoDB rejects. */
function leaves(value: unknown): unknown[] {
  const found: unknown[] = [];
  const pending = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (Array.isArray(next)) pending.push(...next);
    else if (isJsonObject(next)) pending.push(...Object.values(next));
    else if (next !== null && !(typeof next === 'string' && /^(null)?$/i.test(next))) found.push(next);
    if (typeof next === 'string' && /^[[{"\d-]/.test(next)) pending.push(...parsedOrNothing(next));
  }
  return found;
}

function parsedOrNothing(text: string): unknown[] {
  try {
    const parsed: unknown = parseJson(text);
    return parsed === text ? [] : [parsed];
  } catch {
    return [];
  }
}

const plain = (summary: Summary): Json => parseJson(JSON.stringify(summary));

function reverseKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reverseKeys(inner)]),
  );
}

function expectStorable(value: unknown, level: number): void {
  expect(level).toBeLessThan(28);
  if (typeof value === 'string') expect(value.isWellFormed()).toBe(true);
  if (typeof value === 'number') expect(Math.abs(value)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  if (typeof value === 'number' && value !== 0) expect(Math.abs(value)).toBeGreaterThan(1e-130);
  if (Array.isArray(value)) for (const item of value) expectStorable(item, level + 1);
  if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      expect(key).not.toMatch(/^(__proto__)?$/);
      expect(key.isWellFormed()).toBe(true);
      expect(key.length).toBeLessThan(2_000);
      expectStorable(item, level + 1);
    }
  }
}
