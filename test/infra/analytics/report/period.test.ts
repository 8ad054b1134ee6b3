import { describe, expect, it } from 'vitest';
import { scaleOf } from '../../../../infra/analytics/report/line-chart.ts';
import {
  gapsIn,
  lackIn,
  lastDay,
  periodBefore,
  periodOf,
} from '../../../../infra/analytics/report/period.ts';
import { timelineOf } from '../../../../infra/analytics/report/timeline.ts';

/** Periods are compared only with those of equal length, and what is incomplete in one is known. */

const TIME = '2026-11-21T02:00:00Z';

describe('the period of a report', () => {
  it.each([
    { zone: 'UTC', time: TIME, to: undefined, end: '2026-11-21 02:00:00', last: '2026-11-21' },
    { zone: 'Asia/Singapore', time: TIME, to: undefined, end: '2026-11-21 10:00:00', last: '2026-11-21' },
    { zone: 'UTC', time: TIME, to: '2026-11-18', end: '2026-11-19 00:00:00', last: '2026-11-18' },
    { zone: 'UTC', time: TIME, to: '2027-01-01', end: '2026-11-21 02:00:00', last: '2026-11-21' },
    {
      zone: 'UTC',
      time: '2026-11-21T00:00:00Z',
      to: undefined,
      end: '2026-11-21 00:00:00',
      last: '2026-11-20',
    },
  ])('ends at $end for data of $time in $zone and the last day $to', ({ zone, time, to, end, last }) => {
    const period = periodOf({ to }, time, zone);

    expect(period.end).toBe(end);
    expect(lastDay(period)).toBe(last);
  });

  it.each([
    { from: '2026-11-15', to: undefined, before: { from: '2026-11-08', end: '2026-11-14 02:00:00' } },
    { from: '2026-11-15', to: '2026-11-20', before: { from: '2026-11-09', end: '2026-11-15 00:00:00' } },
    { from: '2026-11-17', to: '2026-11-25', before: { from: '2026-11-12', end: '2026-11-16 02:00:00' } },
    { from: '2026-11-21', to: undefined, before: { from: '2026-11-20', end: '2026-11-20 02:00:00' } },
    { from: '2026-11-22', to: undefined, before: undefined },
    { from: undefined, to: '2026-11-20', before: undefined },
  ])('from $from to $to is compared with $before', ({ from, to, before }) => {
    expect(periodBefore(periodOf({ from, to }, TIME, 'UTC'))).toEqual(before);
  });

  it('has the same hour in the period before, although the clocks were changed', () => {
    const period = periodOf({ from: '2026-10-25' }, '2026-10-26T09:00:00Z', 'Europe/London');

    expect(periodBefore(period)).toEqual({ from: '2026-10-23', end: '2026-10-24 09:00:00' });
  });

  it('lacks data where an export is missing, before the first of only incremental ones, and where it ends', () => {
    const text = '';
    const gaps = gapsIn(
      [
        { data: 'sessions', to: '2026-11-02T02:00:00.000Z', text },
        { data: 'sessions', from: '2026-11-10T02:00:00.000Z', to: '2026-11-11T00:00:00.000Z', text },
        { data: 'charges', from: '2026-11-15', to: '2026-11-15', text },
        { data: 'sessions', text },
      ],
      'sessions',
      'UTC',
    );
    const period = periodOf({}, TIME, 'UTC', gaps);
    const { parts, incompleteDays, note } = timelineOf('2026-11-01', '2026-11-21', period);

    expect(incompleteDays).toEqual(['2026-11-01', '2026-11-02', '2026-11-10', '2026-11-21']);
    expect(parts.filter(({ isIncomplete }) => isIncomplete).map(({ start }) => start)).toEqual(
      incompleteDays,
    );
    expect(note).toBe('* Incomplete: data is missing, as stated above; the data ends at 2026-11-21 02:00.');
  });

  it('has incomplete weeks where it starts and ends', () => {
    const period = periodOf({ from: '2026-11-03', to: '2026-11-18' }, TIME, 'UTC');

    expect(lackIn(period, '2026-11-02', '2026-11-09')).toBe('the report starts on 2026-11-03');
    expect(lackIn(period, '2026-11-09', '2026-11-16')).toBeUndefined();
    expect(lackIn(period, '2026-11-16', '2026-11-23')).toBe('the report ends before 2026-11-19');
  });
});

describe('the labels of a timeline', () => {
  const labels = (first: string, last: string) =>
    timelineOf(first, last, periodOf({}, TIME, 'UTC')).parts.map(({ label }) => label);

  it('state the year if there are several', () => {
    expect(labels('2025-09-30', '2025-10-02')).toEqual(['30 Sep', '1 Oct', '2 Oct']);
    expect(labels('2024-01-01', '2026-01-02').at(-1)).toBe('Jan ’26');
    expect(labels('2025-06-02', '2026-01-02')[0]).toBe('2 Jun ’25');
    expect(labels('2010-01-01', '2026-01-02').at(-1)).toBe('2026*');
  });

  it('never hide more than a hundred parts', () => {
    expect(timelineOf('1900-01-01', '2026-01-02', periodOf({}, TIME, 'UTC')).parts).toHaveLength(100);
  });
});

describe('the axis of a mean', () => {
  const MOS = { range: [1, 5], span: 0.4 } as const;
  const RATE = { range: [0, 1], span: 0.1 } as const;
  const ticks = (values: readonly number[], axis: Parameters<typeof scaleOf>[1]) => {
    const { min, max, interval } = scaleOf(values, axis);
    return Array.from({ length: Math.round((max - min) / interval) + 1 }, (_, i) =>
      (min + i * interval).toFixed(3),
    );
  };

  it.each([
    { values: [4.2], axis: MOS, expected: ['4.000', '4.100', '4.200', '4.300', '4.400'] },
    { values: [4.2, 4.201], axis: MOS, expected: ['4.000', '4.100', '4.200', '4.300', '4.400', '4.500'] },
    { values: [1], axis: MOS, expected: ['1.000', '1.100', '1.200'] },
    { values: [1, 5], axis: MOS, expected: ['1.000', '2.000', '3.000', '4.000', '5.000'] },
    { values: [1], axis: RATE, expected: ['0.950', '0.975', '1.000'] },
    { values: [0, 1], axis: RATE, expected: ['0.000', '0.250', '0.500', '0.750', '1.000'] },
    { values: [0.61, 0.83], axis: RATE, expected: ['0.600', '0.700', '0.800', '0.900'] },
  ])('of $values has the ticks $expected', ({ values, axis, expected }) => {
    expect(ticks(values, axis)).toEqual(expected);
  });
});
