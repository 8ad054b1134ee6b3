import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * What remains of an erased session (`npx vss-webhook erase`): an item with its `sessionId` and this attribute, the time
 * of the erasure (ISO 8601, UTC). It never expires, because a redelivery, 8x8's log export or a restored backup may
 * contain the session at any later time. While an erasure is in progress, the item still has its other attributes.
 */
export const ERASED_AT = 'erasedAt';

export function isTombstone(item: Readonly<Record<string, AttributeValue>>): boolean {
  return ERASED_AT in item;
}
