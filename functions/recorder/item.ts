import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * Converts JSON values to a DynamoDB item, without undefined attributes. The SDK's marshall does not work here: it
 * determines the type of an object by its `constructor`, which may be a delivered field of that name.
 *
 * @param attributes JSON values with numbers that DynamoDB stores exactly.
 */
export function toItem(attributes: object): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, toAttribute(value)]],
    ),
  );
}

function toAttribute(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(toAttribute) };
  if (typeof value === 'object' && value !== null) return { M: toItem(value) };
  return { NULL: true };
}

/** Converts an item that `toItem` created back to its attributes. */
export function fromItem(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, attribute]) => [name, fromAttribute(attribute)]),
  );
}

function fromAttribute({ S, N, BOOL, L, M }: AttributeValue): unknown {
  if (N !== undefined) return Number(N);
  if (L !== undefined) return L.map(fromAttribute);
  if (M !== undefined) return fromItem(M);
  return S ?? BOOL ?? null;
}
