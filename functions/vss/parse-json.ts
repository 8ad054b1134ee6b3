import { isDouble, type Json } from './json.ts';
import { hasMoreKeys, parseWithEscapedKeys } from './json-keys.ts';

/**
 * Parses JSON (RFC 8259) without losing digits: a number that a double cannot represent exactly becomes a string of its
 * digits, as delivered. Ignores a leading byte order mark. Keeps the last of several equal keys.
 *
 * @throws SyntaxError if the text is not JSON.
 * @throws RangeError if it has more than `maxKeys` keys.
 */
export function parseJson(text: string, maxKeys = Number.POSITIVE_INFINITY): Json {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  // First, because the code below accepts some invalid JSON, and takes quadratic time for other invalid texts.
  const parsed: Json = JSON.parse(json);
  if (hasMoreKeys(json, maxKeys)) throw new RangeError(`More than ${maxKeys} keys`);
  const exact = MAY_LOSE_DIGITS.test(json) ? json.replace(STRING_OR_NUMBER, quoteInexact) : json;
  // Stryker disable next-line all: it only saves time if no key can have an escape.
  if (json.includes('\\')) return parseWithEscapedKeys(exact);
  return exact === json ? parsed : JSON.parse(exact);
}

/** Sixteen digits in a row may exceed a double's precision, a three-digit exponent its range. */
// Stryker disable next-line Regex: it only saves time.
const MAY_LOSE_DIGITS = /\d(?:[\d.]{15}|[eE][+-]?0*\d{3})/;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function quoteInexact(token: string): string {
  return token.startsWith('"') || isDouble(token) ? token : `"${token}"`;
}
