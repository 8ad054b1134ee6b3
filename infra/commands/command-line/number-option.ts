import { UsageError } from './command.ts';

/** Parses a whole number within limits. @throws UsageError */
export function wholeNumber(option: string, text: string, min: number, max?: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER)) return value;
  const limits = max === undefined ? `from ${min}` : `from ${min} to ${max}`;
  throw new UsageError(`Invalid --${option} "${text}": expected a whole number ${limits}`);
}

/** Parses a number greater than 0. @throws UsageError */
export function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`Invalid --${option} "${text}": expected a number greater than 0`);
}
