import { WAYS } from './contenders.ts';

/** One measurement of all implementations. */
export interface Row {
  label: string;
  /** In the order of WAYS. Undefined if not applicable. */
  values: readonly (number | undefined)[];
  digits: number;
  /** The maximum ratio of ours to bare. */
  limit?: number;
}

const BARE = WAYS.indexOf('bare');
const LEAN = WAYS.indexOf('lean');

export const HEADINGS = ['', ...WAYS, '÷ bare', 'limit', '÷ lean'];

export function cellsOf({ label, values, digits, limit }: Row): string[] {
  const ratio = (way: number) => (values[way] === undefined ? '' : ratioTo(values, way).toFixed(2));
  return [
    label,
    ...values.map((value) => value?.toFixed(digits) ?? ''),
    ratio(BARE),
    limit?.toFixed(2) ?? '',
    ratio(LEAN),
  ];
}

export function isAboveLimit({ values, limit }: Row): boolean {
  return limit !== undefined && ratioTo(values, BARE) > limit;
}

function ratioTo(values: Row['values'], way: number): number {
  return (values[WAYS.indexOf('ours')] ?? Number.NaN) / (values[way] ?? Number.NaN);
}
