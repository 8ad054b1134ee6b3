import { describe, expect, it } from 'vitest';
import { addDays, dayOf, daysBetween, exportPeriod } from '../../../functions/reconciliation/day.ts';
import { type DayState, NEW_DAY } from '../../../functions/reconciliation/day-states.ts';
import { dueSince, isOverdue, retryAt, scheduledDays } from '../../../functions/reconciliation/schedule.ts';

const at = (time: string) => Date.parse(time);

function completed(time: string): DayState {
  return { failures: 0, completed: { at: time, mode: 'record', isHeld: false } };
}

describe('the schedule', () => {
  it('reconciles a day at six in the morning, one, three and seven days later', () => {
    const runs: string[] = [];
    let state = NEW_DAY;
    for (let hour = at('2026-11-24T00:00:00Z'); hour < at('2026-12-05T00:00:00Z'); hour += 3_600_000) {
      if (dueSince('2026-11-24', state, 'record', hour) === undefined) continue;
      const time = new Date(hour).toISOString();
      runs.push(time);
      state = completed(time);
    }

    expect(runs).toEqual([
      '2026-11-25T06:00:00.000Z',
      '2026-11-27T06:00:00.000Z',
      '2026-12-01T06:00:00.000Z',
    ]);
  });

  it('makes up for several runs with one', () => {
    const now = at('2026-11-28T00:00:00Z');

    expect(dueSince('2026-11-24', NEW_DAY, 'record', now)).toBe(at('2026-11-25T06:00:00Z'));
    expect(dueSince('2026-11-24', completed('2026-11-27T23:00:00.000Z'), 'record', now)).toBeUndefined();
  });

  it('is not satisfied by a report if sessions are to be recorded', () => {
    const now = at('2026-11-28T00:00:00Z');
    const state = completed('2026-11-27T23:00:00.000Z');
    const reported: DayState = {
      ...state,
      ...(state.completed && { completed: { ...state.completed, mode: 'report' } }),
    };

    expect(dueSince('2026-11-24', reported, 'record', now)).toBe(at('2026-11-25T06:00:00Z'));
    expect(dueSince('2026-11-24', reported, 'report', now)).toBeUndefined();
    expect(dueSince('2026-11-24', state, 'report', now)).toBeUndefined();
  });

  it('is overdue when a run has been due for more than a day', () => {
    expect(isOverdue('2026-11-24', NEW_DAY, 'record', at('2026-11-26T06:00:00Z'))).toBe(false);
    expect(isOverdue('2026-11-24', NEW_DAY, 'record', at('2026-11-26T06:00:01Z'))).toBe(true);
    const first = completed('2026-11-25T06:00:00.000Z');
    expect(isOverdue('2026-11-24', first, 'record', at('2026-11-28T06:00:00Z'))).toBe(false);
    expect(isOverdue('2026-11-24', first, 'record', at('2026-11-28T06:00:01Z'))).toBe(true);
  });

  it('looks at the days that began after the sub-account was first seen, up to nine days back', () => {
    expect(scheduledDays('2026-11-24T12:00:00.000Z', at('2026-11-24T13:00:00Z'))).toEqual([]);
    expect(scheduledDays('2026-11-24T12:00:00.000Z', at('2026-11-26T23:00:00Z'))).toEqual(['2026-11-25']);
    const days = scheduledDays('2026-01-01T00:00:00.000Z', at('2026-11-26T00:00:00Z'));
    expect([days.length, days[0], days.at(-1)]).toEqual([9, '2026-11-17', '2026-11-25']);
  });

  it('backs off after failures, up to half a day', () => {
    const now = at('2026-11-24T06:00:00Z');

    expect([1, 3, 4, 5, 6, 7, 20].map((failures) => retryAt(failures, now))).toEqual([
      '2026-11-24T06:30:00.000Z',
      '2026-11-24T06:30:00.000Z',
      '2026-11-24T07:30:00.000Z',
      '2026-11-24T09:30:00.000Z',
      '2026-11-24T13:30:00.000Z',
      '2026-11-24T17:30:00.000Z',
      '2026-11-24T17:30:00.000Z',
    ]);
  });
});

describe('a day', () => {
  it('is counted across months and leap years', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(daysBetween('2026-11-29', '2026-12-02')).toEqual([
      '2026-11-29',
      '2026-11-30',
      '2026-12-01',
      '2026-12-02',
    ]);
    expect(daysBetween('2026-11-29', '2026-11-28')).toEqual([]);
    expect(dayOf('2026-11-24T23:59:59.999Z')).toBe('2026-11-24');
  });

  it('is exported with a day before and after it, but not beyond now', () => {
    const later = exportPeriod('2026-11-24', at('2026-11-27T00:00:00Z'));
    const sameDay = exportPeriod('2026-11-24', at('2026-11-24T09:00:00Z'));

    expect(later).toEqual({ from: new Date('2026-11-23T00:00:00Z'), to: new Date('2026-11-26T00:00:00Z') });
    expect(sameDay.to).toEqual(new Date('2026-11-24T09:00:00Z'));
  });
});
