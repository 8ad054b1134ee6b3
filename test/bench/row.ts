import { WAYS } from './contenders.ts';

/** What was measured of the ways to write a function. */
export interface Row {
  what: string;
  /** In the order of the ways; undefined where there is nothing to compare. */
  values: readonly (number | undefined)[];
  digits: number;
  /** The most that ours may be of the bare. */
  limit?: number;
}

const BARE = WAYS.indexOf('bare');
const LEAN = WAYS.indexOf('lean');
const USUAL = WAYS.indexOf('usual');

export const HEADINGS = ['', ...WAYS, '÷ bare', 'at most', '÷ lean', '÷ usual'];

export function cellsOf({ what, values, digits, limit }: Row): string[] {
  const ratio = (way: number) => (values[way] === undefined ? '' : ratioTo(values, way).toFixed(2));
  return [
    what,
    ...values.map((value) => value?.toFixed(digits) ?? ''),
    ratio(BARE),
    limit?.toFixed(2) ?? '',
    ratio(LEAN),
    ratio(USUAL),
  ];
}

export function isAboveLimit({ values, limit }: Row): boolean {
  return limit !== undefined && ratioTo(values, BARE) > limit;
}

function ratioTo(values: Row['values'], way: number): number {
  return (values[WAYS.indexOf('ours')] ?? Number.NaN) / (values[way] ?? Number.NaN);
}
