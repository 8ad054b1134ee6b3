import * as v from 'valibot';
import { isJsonObject } from '../../functions/vss/json.ts';

const Scalar = v.union([v.string(), v.number(), v.boolean(), v.null()]);
const Prefix = v.strictObject({ prefix: v.string() });
const Suffix = v.strictObject({ suffix: v.string() });

const Comparison = v.union(
  [
    Scalar,
    Prefix,
    Suffix,
    v.strictObject({ exists: v.boolean() }),
    v.strictObject({ 'anything-but': v.union([Prefix, Suffix, v.array(Scalar), Scalar]) }),
  ],
  'this comparison is not supported on this machine',
);
type Comparison = v.InferOutput<typeof Comparison>;

export interface EventPattern {
  [name: string]: Comparison[] | EventPattern;
}

/**
 * A pattern of EventBridge, in the part of the language that session events need. There is no maintained npm package
 * for it: Amazon's own event-ruler is written in Java.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export const EventPattern: v.GenericSchema<unknown, EventPattern> = v.pipe(
  v.record(
    v.pipe(v.string(), v.notValue('$or', '$or is not supported on this machine')),
    v.lazy((value) => (Array.isArray(value) ? v.array(Comparison) : EventPattern)),
  ),
);

/** Whether an event matches a pattern. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return Object.entries(pattern).every(([name, expected]) => {
    const value = isJsonObject(event) ? event[name] : undefined;
    return Array.isArray(expected)
      ? expected.some((comparison) => matches(comparison, value))
      : matchesPattern(expected, value);
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
