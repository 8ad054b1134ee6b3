import * as v from 'valibot';
import { isJsonObject } from '../../functions/vss/json.ts';

const Scalar = v.union([v.string(), v.number(), v.boolean(), v.null()]);

const Prefix = v.strictObject({ prefix: v.string() });
const Suffix = v.strictObject({ suffix: v.string() });

/** The comparisons that are supported here. */
const Comparison = v.union(
  [
    Scalar,
    Prefix,
    Suffix,
    v.strictObject({ exists: v.boolean() }),
    v.strictObject({ 'anything-but': v.union([Prefix, Suffix, v.array(Scalar), Scalar]) }),
  ],
  'a comparison of this kind is not supported on this machine',
);
type Comparison = v.InferOutput<typeof Comparison>;

/**
 * Whether an event matches a pattern of EventBridge: the part of the language that session events need. There is no
 * maintained npm package for it: Amazon's own event-ruler is written in Java.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * @throws Error if the pattern uses another part.
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  if (!isJsonObject(pattern) || '$or' in pattern)
    throw new Error('An event pattern with $or, or that is not an object, is not supported on this machine.');
  return Object.entries(pattern).every(([name, expected]) => {
    const value = isJsonObject(event) ? event[name] : undefined;
    if (!Array.isArray(expected)) return matchesPattern(expected, value);
    return v.parse(v.array(Comparison), expected).some((comparison) => matches(comparison, value));
  });
}

function matches(comparison: Comparison, value: unknown): boolean {
  if (typeof comparison !== 'object' || comparison === null) return value === comparison;
  if ('exists' in comparison) return comparison.exists === (value !== undefined);
  if ('prefix' in comparison) return typeof value === 'string' && value.startsWith(comparison.prefix);
  if ('suffix' in comparison) return typeof value === 'string' && value.endsWith(comparison.suffix);
  const excluded = comparison['anything-but'];
  if (value === undefined) return false;
  return ![excluded].flat().some((each) => matches(each, value));
}
