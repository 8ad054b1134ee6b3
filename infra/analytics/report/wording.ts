/** Formats numbers and text for readers. */

export const number = (value: number) => value.toLocaleString('en');

export const decimal = (value: number, digits = 2) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** `1 session`, `2 sessions`. */
export const counted = (count: number, noun: string) => `${number(count)} ${noun}${count === 1 ? '' : 's'}`;

/** `+1.5`, `−0.2`, `±0.0`. */
export function signed(value: number, digits: number): string {
  const text = decimal(Math.abs(value), digits);
  if (Number(text) === 0) return `±${text}`;
  return `${value > 0 ? '+' : '−'}${text}`;
}

/** `08:00`. */
export const clock = (hour: number) => `${String(hour % 24).padStart(2, '0')}:00`;

/** `2026-11-21`, `2026-11-21 to 2026-11-24`. */
export const days = (first: string, last: string) => (first === last ? first : `${first} to ${last}`);

export function percent(part: number, whole: number, digits = 1): string {
  if (whole === 0) return '–';
  return (part / whole).toLocaleString('en', {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** `45 s`, `2 min 5 s`, `1 h 10 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  const parts = hours > 0 ? [`${number(hours)} h`, `${minutes} min`] : [`${minutes} min`, `${whole % 60} s`];
  return parts.filter((part) => !part.startsWith('0 ')).join(' ') || '0 s';
}

/** The maximum length of printed text from outside. */
const MAX_LENGTH = 60;

/** An e-mail address. */
const EMAIL = /[^\s@<>()[\],;:"']+@[^\s@<>()[\],;:"']+\.[\p{L}\p{Nd}-]+/gu;

/** Seven or more digits of any script, in any grouping. */
const NUMBER = /\p{Nd}(?:[^\p{L}\p{Nd}]{0,3}\p{Nd}){6,}/gu;

/** A UUID with or without hyphens, or a similar hexadecimal id. */
const ID = /(?<![\p{L}\p{Nd}])(?=[^-]*\p{Nd})[0-9a-f][0-9a-f-]{14,}[0-9a-f](?![\p{L}\p{Nd}])/giu;

/**
 * Makes a text from outside safe to print: on one line, truncated, and without characters that hide or reorder the text
 * around them. An empty text would make an odd sentence. Masks phone numbers, e-mail addresses and ids, because error messages of 8x8 may contain them.
 */
export function printable(text: string, length = MAX_LENGTH): string {
  const line = text
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(EMAIL, '(e-mail)')
    .replace(ID, '(id)')
    .replace(NUMBER, '(number)')
    .trim();
  if (line === '') return '(empty)';
  const characters = [...line];
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}

/** A sub-account id as 8x8 documents them, which is not masked; otherwise like `printable`. */
export const subAccountName = (id: string) => (/^[\w.&-]{1,50}$/.test(id) ? id : printable(id, 50));

const REGIONS = new Intl.DisplayNames('en', { type: 'region' });

/** The name of a country. */
export function countryName(code: string): string {
  if (code === '') return 'Unknown';
  return /^[A-Z]{2}$/.test(code) ? (REGIONS.of(code) ?? code) : printable(code, 20);
}
