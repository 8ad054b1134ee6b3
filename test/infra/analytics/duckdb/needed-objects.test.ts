import { describe, expect, it } from 'vitest';
import { neededObjects } from '../../../../infra/analytics/duckdb/needed-objects.ts';

const full = (day: number, name = 'manifest-files.json') =>
  `exports/2026-11-${day}T02Z/AWSDynamoDB/0${day}-a/${name}`;
const change = (day: number, name = 'manifest-files.json') =>
  `exports/changes/2026-11-${day}T02Z/since-2026-11-${day - 1}T02Z/AWSDynamoDB/${name}`;
const needed = (...keys: string[]) => neededObjects(keys.map((key) => ({ key }))).map(({ key }) => key);

describe('neededObjects', () => {
  it('selects the newest full export and the changes after it', () => {
    const newest = [full(20), full(20, 'data/a.json.gz'), change(21), change(22, 'data/b.json.gz')];

    expect(needed(full(13), full(13, 'data/old.json.gz'), change(19), change(20), ...newest)).toEqual(newest);
  });

  it('takes a full export without a manifest for incomplete', () => {
    expect(needed(full(13), change(14), full(20, 'data/a.json.gz'))).toEqual([full(13), change(14)]);
  });

  it('also selects the full export and the changes that the state at a time needs', () => {
    const asOf = [full(13), change(14), change(15)];
    const newest = [full(20), change(21)];
    const keys = [full(10), change(11), ...asOf, change(16), ...newest].map((key) => ({ key }));

    const neededAsOf = (time: string) => neededObjects(keys, time).map(({ key }) => key);

    expect(neededAsOf('2026-11-15T02:00:00.000Z')).toEqual([...asOf, ...newest]);
    expect(neededAsOf('2026-11-16T01:59:59.000Z')).toEqual([...asOf, ...newest]);
    // The full export of this hour may be one that someone started later in it.
    expect(neededAsOf('2026-11-13T02:00:00.000Z')).toEqual([full(10), change(11), full(13), ...newest]);
    expect(neededAsOf('2026-11-10T02:30:00.000Z')).toEqual([full(10), ...newest]);
  });

  it.each([
    ['there is no complete full export', [full(20, 'data/a.json.gz'), change(21)]],
    ['the folders have other names', ['copy/AWSDynamoDB/01-a/manifest-files.json', 'notes.txt']],
    ['there is nothing', []],
  ])('selects everything if %s', (_, keys) => {
    expect(needed(...keys)).toEqual(keys);
  });
});
