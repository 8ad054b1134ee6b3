import * as v from 'valibot';
import { printable } from './wording.ts';

/** A sum of prices, as exact text: `12.340000000000`. A report rounds it only to print it. */
export const Sum = v.custom<`${number}`>(
  (value) => typeof value === 'string' && /^-?\d+\.\d{12}$/.test(value),
);
export type Sum = v.InferOutput<typeof Sum>;

/** Formats text without converting it to a number. */
const FORMAT = new Intl.NumberFormat('en', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'negative',
});

/** `1,234.57`. */
export const amount = (sum: Sum) => FORMAT.format(sum).replace('-', '−');

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 });

/** An amount that fits beside a bar: `1,234.57`, `1.23T`. */
export function shortAmount(sum: Sum): string {
  const exact = amount(sum);
  return exact.length <= 12 ? exact : COMPACT.format(sum).replace('-', '−');
}

/** `USD`, made safe to print. */
export const currencyName = (currency: string) => printable(currency, 8);

/** `1,234.57 USD`. */
export const money = (sum: Sum, currency: string) => `${amount(sum)} ${currencyName(currency)}`;

/** The price of a minute, calculated exactly: `0.0120`, or `–` without minutes. */
export function perMinute(sum: Sum, seconds: number): string {
  if (seconds === 0) return '–';
  const [numerator, denominator] = [BigInt(sum.replace('.', '')) * 60n, BigInt(seconds) * 10n ** 8n];
  const magnitude = numerator < 0n ? -numerator : numerator;
  // In units of the fourth decimal place, rounded half up.
  const rounded = (2n * magnitude + denominator) / (2n * denominator);
  return `${numerator < 0n && rounded > 0n ? '−' : ''}${(rounded / 10_000n).toLocaleString('en')}.${String(rounded % 10_000n).padStart(4, '0')}`;
}
