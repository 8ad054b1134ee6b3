import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * A DynamoDB item with these attributes; what is undefined is left out. Not the SDK's marshall: that one tells a
 * value's type by its `constructor`, which is whatever was delivered when a field has that name.
 *
 * @param attributes JSON values, whose numbers DynamoDB holds exactly.
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

/** The attributes of an item that `toItem` made. */
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
