import { expect, it } from 'vitest';
import { mentions, readNumber } from '../../../../infra/commands/erase/phone-number.ts';

const isIn = (value: unknown, number = '+65 9123-4567') => mentions(value, [readNumber(number)]);

it.each([
  ['as 8x8 writes it', '+6591234567'],
  ['without a plus sign', '6591234567'],
  ['as a JSON number', 6_591_234_567],
  ['with separators', '+65 (9123) 45.67'],
  ['in a SIP address', 'sip:+6591234567@example.com'],
  ['deep in an unknown field', { unrecognised: { 'payload.x': [[{ y: '+6591234567' }]] } }],
])('finds a number %s', (_, value) => {
  expect(isIn(value)).toBe(true);
});

it.each([
  ['of which it is a part', '+16591234567'],
  ['that is a part of it', '91234567'],
  ['of one digit more', '+65912345678'],
])('does not take it for a number %s', (_, value) => {
  expect(isIn(value)).toBe(false);
  expect(isIn(`sip:${value}@example.com`)).toBe(false);
});

it('does not find a number in a UUID, a digest, a time or a boolean', () => {
  const values = [
    '12345678-0000-4000-8000-000000000001',
    'a12345678b',
    '2026-11-24T08:00:00.000Z',
    true,
    null,
  ];

  expect(values.filter((value) => isIn(value, '12345678') || isIn(value, '20261124'))).toEqual([]);
});

it.each(['', '1234', '1234567890123456', 'hello 12345', '+65912x4567'])('refuses the number "%s"', (text) => {
  expect(() => readNumber(text)).toThrow(
    /^Invalid --number .*: expected 5 to 15 digits, such as \+6591234567$/,
  );
});
