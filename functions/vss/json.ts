/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a double preserves all digits of a decimal number. */
export function isDouble(number: string): boolean {
  const double = Number(number);
  // Comparing digits is enough: the nearest double is off by a power of ten only if it is 0 or infinite.
  return Number.isFinite(double) && significantDigits(String(double)) === significantDigits(number);
}

/** The digits of a decimal number, from its first to its last non-zero digit. */
function significantDigits(number: string): string {
  let digits = '';
  let zeros = '';
  for (const character of number) {
    if (character === 'e' || character === 'E') break;
    if (character === '0') {
      if (digits !== '') zeros += character;
    } else if (character !== '.' && character !== '-') {
      digits += zeros + character;
      zeros = '';
    }
  }
  return digits;
}

/**
 * Serialises equal values to the same text: no white space, keys sorted by UTF-16 code units (as in RFC 8785, but lone
 * surrogates are escaped, not rejected). Omits undefined properties. Works at any depth of nesting, where
 * JSON.stringify exhausts the stack.
 */
export function canonicalJson(value: unknown): string {
  let text = '';
  const pending: (string | { value: unknown })[] = [{ value }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === 'string') {
      text += next;
    } else if (Array.isArray(next.value)) {
      pending.push(']');
      for (let i = next.value.length - 1; i >= 0; i--) {
        pending.push({ value: next.value[i] }, i > 0 ? ',' : '');
      }
      pending.push('[');
    } else if (isJsonObject(next.value)) {
      const object: Readonly<Record<string, unknown>> = next.value;
      const keys = Object.keys(object).filter((key) => object[key] !== undefined);
      const [first] = keys.sort();
      pending.push('}');
      for (const key of keys.reverse()) {
        pending.push({ value: object[key] }, `${key === first ? '' : ','}${JSON.stringify(key)}:`);
      }
      pending.push('{');
    } else {
      text += JSON.stringify(next.value);
    }
  }
  return text;
}
