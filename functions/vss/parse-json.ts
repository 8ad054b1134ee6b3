import { isDouble, type Json } from './json.ts';
import { hasMoreKeys, parseWithEscapedKeys } from './json-keys.ts';

/**
 * Parses JSON (RFC 8259) without losing a digit: a number that a double does not give back becomes a string of its
 * digits, as delivered. A leading byte order mark is ignored; of a key given twice, the last counts.
 *
 * @throws SyntaxError when the text is not JSON.
 * @throws RangeError when it has more keys than `maxKeys`.
 */
export function parseJson(text: string, maxKeys = Number.POSITIVE_INFINITY): Json {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  // First of all, because what follows takes some texts for JSON that are not, and quadratic time for others.
  const parsed: Json = JSON.parse(json);
  if (hasMoreKeys(json, maxKeys)) throw new RangeError(`More than ${maxKeys} keys`);
  const exact = MAY_LOSE_DIGITS.test(json) ? json.replace(STRING_OR_NUMBER, quoteInexact) : json;
  // Stryker disable next-line all: it only saves time where no key can be written with an escape.
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
