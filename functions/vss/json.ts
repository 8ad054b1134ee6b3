import { parseWithEscapedKeys } from './escaped-keys.ts';

/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses JSON (RFC 8259) without losing a digit: a number that a double cannot hold exactly becomes a string of
 * its digits, as delivered. A leading byte order mark is ignored; of a key given twice, the last counts.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): Json {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  // First of all, because what follows takes some texts for JSON that are not, and quadratic time for others.
  const parsed: Json = JSON.parse(json);
  const exact = MAY_LOSE_DIGITS.test(json) ? json.replace(STRING_OR_NUMBER, quoteInexact) : json;
  if (json.includes('\\')) return parseWithEscapedKeys(exact);
  return exact === json ? parsed : JSON.parse(exact);
}

/** Sixteen digits in a row may exceed a double's precision, a three-digit exponent its range. */
const MAY_LOSE_DIGITS = /\d(?:[\d.]{15}|[eE][+-]?0*\d{3})/;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function quoteInexact(token: string): string {
  return token.startsWith('"') || isDouble(token) ? token : `"${token}"`;
}

/** Whether a double holds a decimal number in all its digits: it reads back as the same number. */
export function isDouble(number: string): boolean {
  const shortest = String(Number(number));
  if (shortest === number) return true;
  const exact = significance(number);
  // Seventeen digits tell a double from all others, so no double is written with more.
  return exact.indexOf('e') <= MAX_DIGITS && exact === significance(shortest);
}

/** And a sign. */
const MAX_DIGITS = 17 + 1;

/** The value of a decimal number as text: its significant digits and the power of ten of the last one. */
function significance(number: string): string {
  const [mantissa = '', exponent = ''] = number.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^(-?)0+/, '$1');
  // Not a regular expression: one for zeros at the end takes quadratic time on zeros elsewhere.
  let length = digits.length;
  while (digits[length - 1] === '0') length--;
  const significant = digits.slice(0, length);
  if (significant === '' || significant === '-') return '0';
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/**
 * The same text for the same value, whatever the order of its keys: no white space, keys sorted by UTF-16 code
 * units (as RFC 8785, but lone surrogates are escaped, not refused). Properties that are undefined are left out.
 * Works at any depth of nesting, where JSON.stringify exhausts the stack.
 */
export function canonicalJson(value: unknown): string {
  let text = '';
  const pending: ({ text: string } | { value: unknown })[] = [{ value }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ('text' in next) {
      text += next.text;
    } else if (Array.isArray(next.value)) {
      pending.push({ text: ']' });
      for (let i = next.value.length - 1; i >= 0; i--) {
        pending.push({ value: next.value[i] }, { text: i > 0 ? ',' : '' });
      }
      pending.push({ text: '[' });
    } else if (isJsonObject(next.value)) {
      const object: Readonly<Record<string, unknown>> = next.value;
      const keys = Object.keys(object).filter((key) => object[key] !== undefined);
      pending.push({ text: '}' });
      for (const [i, key] of [...keys.sort().entries()].reverse()) {
        pending.push({ value: object[key] }, { text: `${i > 0 ? ',' : ''}${JSON.stringify(key)}:` });
      }
      pending.push({ text: '{' });
    } else {
      text += JSON.stringify(next.value);
    }
  }
  return text;
}
