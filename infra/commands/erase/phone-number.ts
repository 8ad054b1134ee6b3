import { UsageError } from '../command-line/command.ts';

/** A phone number to search for. */
export interface PhoneNumber {
  digits: string;
  /** Finds it within other text, such as a SIP address. A part of a UUID or of a longer number is none. */
  within: RegExp;
}

/** The shortest national numbers, and the longest international ones (ITU-T E.164), have this many digits. */
const DIGITS = { min: 5, max: 15 };

/** Digits as people write them: `+65 9123-4567`. */
const WRITTEN = /^[+\d\s().-]+$/;

/** @throws UsageError */
export function readNumber(text: string): PhoneNumber {
  const digits = digitsOf(text);
  if (!WRITTEN.test(text) || digits.length < DIGITS.min || digits.length > DIGITS.max) {
    throw new UsageError(
      `Invalid --number "${text}": expected ${DIGITS.min} to ${DIGITS.max} digits, such as +6591234567`,
    );
  }
  return { digits, within: new RegExp(`(?<![\\w-])${digits}(?![\\w-])`) };
}

/** Whether one of the numbers occurs anywhere in a JSON value. */
export function mentions(value: unknown, numbers: readonly PhoneNumber[]): boolean {
  return scalarsOf(value).some((text) =>
    numbers.some(({ digits, within }) =>
      WRITTEN.test(text) ? digitsOf(text) === digits : within.test(text),
    ),
  );
}

/** The strings and numbers in a JSON value, at any depth, as text. */
export function scalarsOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(scalarsOf);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

const digitsOf = (text: string) => text.replaceAll(/\D/g, '');
