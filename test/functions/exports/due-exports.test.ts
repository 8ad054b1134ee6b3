import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueExports, shownThrough, type TableExport } from '../../../functions/exports/due-exports.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const schedule = { hour: 2, fullExportDays: 7 };
const time = (text: string) => Date.parse(`2026-11-${text}Z`);

const full = (to: string): TableExport => ({ type: 'full', status: 'complete', to: time(to) });
const incremental = (from: string, to: string): TableExport => ({
  type: 'incremental',
  status: 'complete',
  from: time(from),
  to: time(to),
});

/** Due exports, in a readable form. */
function due(exports: readonly TableExport[], now: string, changed: Partial<typeof schedule> = {}): string[] {
  const hour = (value: number) => new Date(value).toISOString().slice(8, 19).replace(':00:00', '');
  return dueExports(exports, time(now), { ...schedule, ...changed }).map((each) =>
    each.type === 'full' ? `full ${hour(each.to)}` : `${hour(each.from)} to ${hour(each.to)}`,
  );
}

describe('shownThrough', () => {
  it('is undefined without a full export', () => {
    expect(shownThrough([incremental('01T02:00', '02T02:00')])).toBeUndefined();
  });

  it('is the end of the incremental exports that follow the newest full one without a gap', () => {
    const chain = [
      full('01T02:00'),
      incremental('02T02:00', '03T02:00'),
      incremental('01T02:00', '02T02:00'),
      incremental('03T03:00', '04T02:00'),
    ];

    expect(shownThrough(chain)).toBe(time('03T02:00'));
  });

  it('is the point in time of a full export that is newer than every incremental one', () => {
    expect(shownThrough([incremental('01T02:00', '02T02:00'), full('02T02:00:17'), full('01T02:00')])).toBe(
      time('02T02:00:17'),
    );
  });
});

describe('dueExports', () => {
  it.each<[condition: string, exports: TableExport[], now: string, expected: string[]]>([
    ['no export exists', [], '10T13:37', ['full 10T13']],
    ['no export exists, just after the hour', [], '10T13:09', ['full 10T12']],
    ['the export of the day exists', [full('10T02:00')], '11T01:59', []],
    ['the hour of the export is not restorable yet', [full('10T02:00')], '11T02:09', []],
    ['a day has passed', [full('10T02:00')], '11T02:10', ['10T02 to 11T02']],
    ['the full export was made by an older release', [full('10T02:00:17')], '11T02:10', ['10T02 to 11T02']],
    ['the day is covered', [full('10T02:00'), incremental('10T02:00', '11T02:00')], '12T01:00', []],
    [
      'three days are missing',
      [full('10T02:00')],
      '13T05:00',
      ['10T02 to 11T02', '11T02 to 12T02', '12T02 to 13T02'],
    ],
    ['the full export was made at another hour', [full('10T13:00')], '11T02:10', ['10T13 to 11T02']],
    ['25 hours are missing', [full('10T01:00')], '11T02:10', ['10T01 to 10T14', '10T14 to 11T02']],
    ['a week has passed', [full('10T02:00')], '17T02:10', ['full 17T02']],
    ['a week has passed since a full export at another hour', [full('10T13:00')], '17T02:10', ['full 17T02']],
  ])('when %s', (_, exports, now, expected) => {
    expect(due(exports, now)).toEqual(expected);
  });

  it('starts only full exports if one is due every day', () => {
    expect(due([full('10T02:00')], '11T02:10', { fullExportDays: 1 })).toEqual(['full 11T02']);
  });

  it('starts a full export when changes are older than point-in-time recovery', () => {
    const old = { ...full('01T02:00'), to: time('10T02:00') - 35 * DAY };

    expect(due([old], '10T05:00', { fullExportDays: 60 })).toEqual(['full 10T04']);
  });

  it('leaves no gap and exports nothing needlessly, whatever fails or does not run', () => {
    const run = fc.record({
      hours: fc.integer({ min: 1, max: 40 }),
      minute: fc.integer({ min: 0, max: 59 }),
      fails: fc.array(fc.boolean(), { maxLength: 3 }),
    });
    const schedules = fc.record({
      hour: fc.integer({ min: 0, max: 23 }),
      fullExportDays: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 40 }), schedules, (runs, each) => {
        const exports: TableExport[] = [];
        let now = time('01T00:00');
        const runAt = (fails: readonly boolean[]) => {
          for (const [i, started] of dueExports(exports, now, each).entries()) {
            if (started.type === 'incremental') {
              expect(started.to - started.from).toBeGreaterThanOrEqual(HOUR);
              expect(started.to - started.from).toBeLessThanOrEqual(DAY);
            }
            expect(started.to % HOUR).toBe(0);
            expect(started.to).toBeLessThanOrEqual(now - HOUR / 6);
            if (!fails[i]) exports.push({ ...started, status: 'complete' });
          }
        };
        for (const { hours, minute, fails } of runs) {
          now = Math.floor(now / HOUR) * HOUR + hours * HOUR + minute * 60_000;
          runAt(fails);
        }
        runAt([]);

        const shown = shownThrough(exports) ?? Number.NaN;
        expect(now - shown).toBeLessThan(DAY + HOUR / 6);
        expect(dueExports(exports, now, each)).toEqual([]);
      }),
    );
  });
});
