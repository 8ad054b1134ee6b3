import { hash } from 'node:crypto';

/** A number from 0 to 4,294,967,295 that depends only on the text. */
function numberOf(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 8), 16);
}

/** Chooses one of the options, by the text. */
export function chosen(text: string, options: readonly string[]): string {
  return options[numberOf(text) % options.length] ?? '';
}

/** The columns about the price of a call, made from its id. Amounts are counted in ten-thousandths, and so are exact. */
export function chargesOf(callId: string, seconds: number, currencies: readonly string[]) {
  const number = numberOf(callId);
  const increment = number % 2 === 0 ? 60 : 1;
  const price = increment === 60 ? 80 + (number % 300) : 2 + (number % 5);
  const units = Math.ceil(seconds / increment);
  return {
    BillingUnit: String(increment),
    BillingIncrement: `${increment}+${increment}`,
    BillableDurationInSec: String(units * increment),
    UnitPrice: decimal(price),
    UnitPriceCurrency: chosen(`currency of ${callId}`, currencies),
    TotalPriceOfCall: units === 0 ? '0' : decimal(units * price),
  };
}

/** Ten-thousandths as decimal text. */
function decimal(tenThousandths: number): string {
  const digits = String(tenThousandths).padStart(5, '0');
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}
