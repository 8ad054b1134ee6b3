import { isDeepStrictEqual } from 'node:util';
import type { CloudFormationCustomResourceUpdateEvent } from 'aws-lambda';
import * as v from 'valibot';
import { isSameUrl } from './finding.ts';
import type { Registration } from './register.ts';

/** The properties that determine what is registered, and where. */
const Identity = v.object({
  subAccountId: v.string(),
  webhooksApiUrl: v.string(),
  url: v.string(),
  /** The secret with the Authorization value. Each `authorizationVersion` has its own secret. */
  authorizationSecretArn: v.string(),
});

/** Properties of the custom resource. CloudFormation sends every value as a string. */
export const Properties = v.object({
  ...Identity.entries,
  takeOver: v.pipe(
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
});
export type Properties = v.InferOutput<typeof Properties>;

/** Properties of a resource to delete, which an older release may have created. */
export const DeletedProperties = v.object({
  subAccountId: v.string(),
  webhooksApiUrl: v.optional(v.string()),
  url: v.string(),
  onDelete: v.optional(v.picklist(['remove', 'keep']), 'remove'),
});

/** Stable per sub-account: a changed id would be a replacement, whose clean-up removes the webhook. */
export function physicalIdOf(subAccountId: string): string {
  return `8x8-webhook/${subAccountId}/VSS`;
}

/** What an update reveals about the existing registration. */
export type Change = Pick<Registration, 'previousUrl' | 'isKnown' | 'isNew'>;

export function changeOf({
  ResourceProperties,
  OldResourceProperties,
}: CloudFormationCustomResourceUpdateEvent): Change {
  const now = v.parse(Identity, ResourceProperties);
  const previous = v.parse(v.partial(Identity), OldResourceProperties);
  if (previous.subAccountId !== now.subAccountId) return { isKnown: false, isNew: true };
  const isKnown =
    previous.authorizationSecretArn === now.authorizationSecretArn &&
    previous.webhooksApiUrl === now.webhooksApiUrl &&
    previous.url !== undefined &&
    isSameUrl(previous.url, now.url) &&
    // Equal properties mean a rollback from a failure, after which the state at 8x8 is unknown.
    !isDeepStrictEqual(ResourceProperties, OldResourceProperties);
  return { previousUrl: previous.url, isKnown, isNew: false };
}
