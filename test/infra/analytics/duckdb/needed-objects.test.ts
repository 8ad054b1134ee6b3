import { describe, expect, it } from 'vitest';
import { neededObjects } from '../../../../infra/analytics/duckdb/needed-objects.ts';

const full = (day: number, name = 'manifest-files.json') =>
  `exports/2026-11-${day}T02:00:00Z/AWSDynamoDB/0${day}-a/${name}`;
const change = (day: number, name = 'manifest-files.json') =>
  `exports/changes/2026-11-${day}T02:00:00Z/since-2026-11-${day - 1}T02:00:00Z/AWSDynamoDB/${name}`;
const needed = (...keys: string[]) => neededObjects(keys.map((key) => ({ key }))).map(({ key }) => key);

describe('neededObjects', () => {
  it('selects the newest full export and the changes after it', () => {
    const newest = [full(20), full(20, 'data/a.json.gz'), change(21), change(22, 'data/b.json.gz')];

    expect(needed(full(13), full(13, 'data/old.json.gz'), change(19), change(20), ...newest)).toEqual(newest);
  });

  it('takes a full export without a manifest for incomplete', () => {
    expect(needed(full(13), change(14), full(20, 'data/a.json.gz'))).toEqual([full(13), change(14)]);
  });

  it.each([
    ['there is no complete full export', [full(20, 'data/a.json.gz'), change(21)]],
    ['the folders have other names', ['copy/AWSDynamoDB/01-a/manifest-files.json', 'notes.txt']],
    ['there is nothing', []],
  ])('selects everything if %s', (_, keys) => {
    expect(needed(...keys)).toEqual(keys);
  });
});
