import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, isDouble } from '../../../functions/vss/json.ts';
import { parseJson } from '../../../functions/vss/parse-json.ts';
import { growth } from '../../growth.ts';

describe('parseJson', () => {
  it.each([
    ['12345678901234567890', '12345678901234567890'],
    ['-0.12345678901234567890', '-0.12345678901234567890'],
    ['1e400', '1e400'],
    ['-1E-400', '-1E-400'],
    ['1.00000000000000000001', '1.00000000000000000001'],
    ['1000000000000000000001', '1000000000000000000001'],
    ['9.123456789012345', '9.123456789012345'],
    // The nearest double is …010, which has the same digits, with a zero at another place.
    ['100010540905109001', '100010540905109001'],
  ])('keeps %s, which is not a double, as text', (given, kept) => {
    expect(parseJson(`{"a":[${given}]}`)).toEqual({ a: [kept] });
  });

  it.each([
    ['9007199254740992', 9007199254740992],
    ['1.0000000000000000000', 1],
    ['0.00000000000000000000', 0],
    ['-0.0000000000000000000', -0],
    ['1000000000000000000000', 1e21],
    ['1e100', 1e100],
    ['1.25E-100', 1.25e-100],
    ['120e-1', 12],
    ['0.000000012345678901234567', 1.2345678901234567e-8],
    ['-0.000000012345678901234567', -1.2345678901234567e-8],
    ['12345678901234560000000', 1.234567890123456e22],
    ['0.30000000000000004', 0.30000000000000004],
    ['1E+0000000000000000000002', 100],
  ])('parses %s, which is a double, as a number', (given, value) => {
    expect(parseJson(given)).toBe(value);
  });

  it('decodes keys, whichever of their characters are escaped', () => {
    const character = fc.constantFrom(...'a01"\\/\n\u0000\x80\x81\x8aÜé\ud800Ā'.split(''));
    const written = fc.tuple(character, fc.boolean()).map(([raw, asCode]) => {
      const code = `\\u${raw.charCodeAt(0).toString(16).padStart(4, '0')}`;
      return { raw, written: asCode || /["\\\n\0]/.test(raw) ? code : raw };
    });
    const key = fc.array(written, { maxLength: 4 });

    fc.assert(
      fc.property(fc.array(key, { maxLength: 8 }), (keys) => {
        const json = keys.map((key, i) => `"${key.map((each) => each.written).join('')}":[${i}]`).join();

        const object = parseJson(`{"outer":{${json}}}`);

        const entries = keys.map((key, i) => [key.map(({ raw }) => raw).join(''), [i]]);
        expect(object).toEqual({ outer: Object.fromEntries(entries) });
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    '{"\\u00\\u0034\\u0031":1}',
    '{"\\x":1}',
    '{"\\U0041":1}',
    '{"\\u004":1}',
    '{"\\u0041\n":1}',
    '{"\\":1}',
    '{"\\n":01}',
  ])('rejects %j, which is not JSON', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it.each([
    ['\\', '\\u0041', 'A'],
    ['a\\', 'a\\u0041', 'aA'],
    ['a\\', 'a\\n', 'a\n'],
    ['\x80', '\\u00801', '\x801'],
    ['\x80Ü', '\\"', '"'],
    ['', '\\b\\f\\n\\r\\t\\/\\\\', '\b\f\n\r\t/\\'],
    ['__proto__', '\\u005f_proto__', '__proto__'],
  ])('decodes a key after %j when it is written as %s', (before, written, key) => {
    parseJson(`{"q":0,${JSON.stringify(before)}:1}`);

    const object = parseJson(`{"q":0,"${written}":[{"q":0,"${written}" : 2}]}`);

    expect(canonicalJson(object)).toBe(
      canonicalJson(
        Object.fromEntries([
          ['q', 0],
          [
            key,
            [
              Object.fromEntries([
                ['q', 0],
                [key, 2],
              ]),
            ],
          ],
        ]),
      ),
    );
  });

  it('does not change texts that look like numbers or JSON', () => {
    const texts = ['12345678901234567890', 'a "12345678901234567890" b', '\\', '\\"', '1e400'];

    expect(parseJson(JSON.stringify([...texts, 0]))).toEqual([...texts, 0]);
  });

  it('takes time that grows linearly with the size, even for truncated texts', () => {
    for (const unit of ['\\"', '"\\', '\\\\', '"\\n":']) {
      const parse = (length: number) =>
        expect(() => parseJson(`{"a":"${unit.repeat(length)}`)).toThrow(SyntaxError);

      expect(growth(parse, 50_000)).toBeLessThan(32);
    }
  });

  it('takes time that grows linearly with the size, even for extremely long numbers', () => {
    for (const [before, after] of [
      ['1', '1'],
      ['1', ''],
      ['0.', '1'],
      ['1e', '1'],
    ]) {
      const parse = (length: number) => parseJson(`[${before}${'0'.repeat(length)}${after}]`);

      expect(growth(parse, 200_000)).toBeLessThan(32);
    }
  });

  it('ignores a byte order mark', () => {
    expect(parseJson('\uFEFF{}')).toEqual({});
  });

  it.each([
    ['{"\\u0061":1,"a":2}', { a: 2 }],
    ['{"a":1,"\\u0061":2}', { a: 2 }],
    ['{"\\u0061":1,"b":0,"\\u0061":2}', { b: 0, a: 2 }],
    ['{"\\u0020":1," ":2,"\\u0020":3}', { ' ': 3 }],
    ['{"\\u0020":1," ":2,"\\n":3}', { ' ': 2, '\n': 3 }],
    ['{"\ud800":1,"\\ud800":2,"\ud800":3}', { '\ud800': 3 }],
    ['{"\x7f":1,"\\u007f":2,"\x7f":3}', { '\x7f': 3 }],
    ['{"\x80":1,"\\u0080":2,"\x80":3}', { '\x80': 3 }],
    ['{"\\n":1,"\\u000a":2}', { '\n': 2 }],
  ])('keeps the last value of a duplicate key, even if it is escaped differently: %j', (json, expected) => {
    expect(parseJson(json)).toEqual(expected);
  });

  it('keeps the order of keys, even if some of them are escaped', () => {
    expect(Object.keys(Object(parseJson('{"b":1,"\\n":[],"a":{},"\\\\":null,"A":2}')))).toEqual([
      'b',
      '\n',
      'a',
      '\\',
      'A',
    ]);
  });

  it('creates plain objects, like JSON.parse', () => {
    // Not compared with the result of JSON.parse, because V8 may misread the key.
    expect(Object.getOwnPropertyDescriptors(parseJson('{"a":1,"\\n":2}'))).toEqual(
      Object.getOwnPropertyDescriptors({ a: 1, '\n': 2 }),
    );
  });

  it('limits the number of keys, and does not mistake texts for keys', () => {
    const keys = Array.from({ length: 4 }, (_, i) => `"\\u000${i}" : {"":"\\":"}`);
    const json = `[{${keys.join()}}]`;

    expect(parseJson(json, 8)).toEqual(parseJson(json));
    expect(() => parseJson(json, 7)).toThrow(new RangeError('More than 7 keys'));
  });

  it('rejects text that is not JSON', () => {
    for (const text of [
      '{12345678901234567890:1}',
      '[-012345678901234567890]',
      '',
      ' ',
      '{',
      '01',
      'NaN',
      "'a'",
      '\uFEFF\uFEFF{}',
      '123456789012345678901,',
    ]) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });

  it('parses everything that JSON.stringify returns', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(parseJson(JSON.stringify(value)))).toBe(canonicalJson(value));
      }),
    );
  });
});

describe('isDouble', () => {
  const digits = (maxLength: number) =>
    fc.array(fc.constantFrom('0', '0', '0', '1', '4', '5', '9'), { minLength: 1, maxLength });
  const number = fc
    .record({
      sign: fc.constantFrom('', '-'),
      whole: digits(24).map((each) => each.join('').replace(/^0+(?=\d)/, '')),
      fraction: fc.option(digits(24)).map((each) => (each === null ? '' : `.${each.join('')}`)),
      exponent: fc
        .option(fc.integer({ min: -350, max: 350 }))
        .map((each) => (each === null ? '' : `e${each}`)),
    })
    .map(({ sign, whole, fraction, exponent }) => sign + whole + fraction + exponent);

  it('returns whether JavaScript prints the nearest double as the same number', () => {
    fc.assert(
      fc.property(number, (text) => {
        const double = Number(text);

        expect(isDouble(text)).toBe(Number.isFinite(double) && isSameNumber(text, String(double)));
      }),
      { numRuns: 5_000 },
    );
  });

  function isSameNumber(a: string, b: string): boolean {
    const [x, y] = [scaled(a), scaled(b)];
    const least = Math.min(x.exponent, y.exponent);
    return x.digits * 10n ** BigInt(x.exponent - least) === y.digits * 10n ** BigInt(y.exponent - least);
  }

  function scaled(number: string): { digits: bigint; exponent: number } {
    const [mantissa = '', exponent = '0'] = number.split('e');
    const [whole = '', fraction = ''] = mantissa.split('.');
    return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
  }
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys', () => {
    expect(canonicalJson({ b: 1, a: { d: [1, 'x', null], c: true } })).toBe(
      '{"a":{"c":true,"d":[1,"x",null]},"b":1}',
    );
    expect(canonicalJson({ a: { c: true, d: [1, 'x', null] }, b: 1 })).toBe(
      '{"a":{"c":true,"d":[1,"x",null]},"b":1}',
    );
  });

  it('leaves out undefined values', () => {
    expect(canonicalJson({ a: undefined, b: {}, c: [] })).toBe('{"b":{},"c":[]}');
  });

  it('returns JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        expect(parseJson(canonicalJson(parsed))).toEqual(parsed);
      }),
    );
  });

  it('keeps a lone surrogate as an escape, and __proto__ as a key', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":"\\ud800"}'))).toBe('{"__proto__":"\\ud800"}');
  });

  it('handles values that are nested deeper than the stack', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);

    expect(canonicalJson(JSON.parse(deep))).toBe(deep);
  });
});
