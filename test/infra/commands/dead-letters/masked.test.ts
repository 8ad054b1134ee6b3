import { describe, expect, it } from 'vitest';
import { masked } from '../../../../infra/commands/dead-letters/masked.ts';

describe('masked', () => {
  it.each([
    ['+6591178965', '+********65'],
    ['65 9117-8965', '**********65'],
    ['(415) 555-0100', '(***********00'],
    ['2026-01-13 06:01:30', '2026-01-13 06:01:30'],
    ['eb0fc709-9693-11ea-454d-170512345678', 'eb0fc709-9693-11ea-454d-170512345678'],
    ['12345678-1234-1234-1234-123456789012', '12345678-1234-1234-1234-123456789012'],
    ['"callDuration":123456', '"callDuration":123456'],
  ])('turns %s into %s', (text, expected) => {
    expect(masked(text)).toBe(expected);
  });
});
