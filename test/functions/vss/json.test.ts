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
    // The nearest double is …010: the same digits, but for where a zero is.
    ['100010540905109001', '100010540905109001'],
  ])('keeps %s, which no double holds, digit by digit', (given, kept) => {
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
  ])('takes %s as the number it is', (given, value) => {
    expect(parseJson(given)).toBe(value);
  });

  it('reads keys for what they are, however each of their characters is written', () => {
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
  ])('refuses %j, which is not JSON', (text) => {
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
  ])('reads a key for what it is, after one like %j, and written as %s', (before, written, key) => {
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

  it('leaves texts alone, whatever is in them', () => {
    const texts = ['12345678901234567890', 'a "12345678901234567890" b', '\\', '\\"', '1e400'];

    expect(parseJson(JSON.stringify([...texts, 0]))).toEqual([...texts, 0]);
  });

  it('takes time that grows with the size only, also for texts that are cut off', () => {
    for (const unit of ['\\"', '"\\', '\\\\', '"\\n":']) {
      const parse = (length: number) =>
        expect(() => parseJson(`{"a":"${unit.repeat(length)}`)).toThrow(SyntaxError);

      expect(growth(parse, 50_000)).toBeLessThan(32);
    }
  });

  it('takes time that grows with the size only, also for numbers as long as a body', () => {
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
  ])('takes the last of a key given several times, however it is written: %j', (json, expected) => {
    expect(parseJson(json)).toEqual(expected);
  });

  it('leaves the order of keys as it is, also beside some that are written with an escape', () => {
    expect(Object.keys(Object(parseJson('{"b":1,"\\n":[],"a":{},"\\\\":null,"A":2}')))).toEqual([
      'b',
      '\n',
      'a',
      '\\',
      'A',
    ]);
  });

  it('makes objects as JSON.parse does', () => {
    // Not compared with what JSON.parse makes of it: V8 may mistake the key.
    expect(Object.getOwnPropertyDescriptors(parseJson('{"a":1,"\\n":2}'))).toEqual(
      Object.getOwnPropertyDescriptors({ a: 1, '\n': 2 }),
    );
  });

  it('takes as many keys as it is told to, and no text for a key', () => {
    const keys = Array.from({ length: 4 }, (_, i) => `"\\u000${i}" : {"":"\\":"}`);
    const json = `[{${keys.join()}}]`;

    expect(parseJson(json, 8)).toEqual(parseJson(json));
    expect(() => parseJson(json, 7)).toThrow(new RangeError('More than 7 keys'));
  });

  it('refuses what is no JSON', () => {
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

  it('reads what JSON.stringify writes', () => {
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

  it('is whether the double nearest to a number is, as JavaScript writes it, the same number', () => {
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

  it('leaves out what is undefined', () => {
    expect(canonicalJson({ a: undefined, b: {}, c: [] })).toBe('{"b":{},"c":[]}');
  });

  it('is JSON of the same value', () => {
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

  it('works at a depth at which the stack would not last', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);

    expect(canonicalJson(JSON.parse(deep))).toBe(deep);
  });
});
