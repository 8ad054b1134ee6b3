import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../infra/commands/command-line/command.ts';
import { dayOption } from '../../../../infra/commands/command-line/day-option.ts';

/** A day may be named by its date, or relative to today in the time zone that was asked for. */

const now = Date.parse('2026-11-20T18:00:00Z');

describe('the option of a day', () => {
  it.each([
    ['2026-11-01', 'UTC', '2026-11-01'],
    ['today', 'UTC', '2026-11-20'],
    ['yesterday', 'UTC', '2026-11-19'],
    ['yesterday', 'Asia/Singapore', '2026-11-20'],
    ['7d', 'UTC', '2026-11-13'],
    ['0d', 'UTC', '2026-11-20'],
    ['20d', 'America/New_York', '2026-10-31'],
  ])('reads %s in %s as %s', (text, timeZone, expected) => {
    expect(dayOption('from', text, { timeZone, now })).toBe(expected);
  });

  it('may be left out', () => {
    expect(dayOption('from', undefined, { timeZone: 'UTC' })).toBeUndefined();
  });

  it.each(['2026-02-30', '2026-1-1', 'tomorrow', '-1d', '7', '99999d', ''])('rejects %j', (text) => {
    expect(() => dayOption('to', text, { timeZone: 'UTC', now })).toThrow(UsageError);
    expect(() => dayOption('to', text, { timeZone: 'UTC', now })).toThrow(
      `Invalid --to "${text}": expected a day such as 2026-11-01, yesterday, or 7d for seven days ago`,
    );
  });
});
