import { isDeepStrictEqual } from 'node:util';
import type { CloudFormationCustomResourceUpdateEvent } from 'aws-lambda';
import * as v from 'valibot';
import { isSameUrl } from './finding.ts';
import type { Registration } from './register.ts';

/** What 8x8 is told, and where. */
const Identity = v.object({
  subAccountId: v.string(),
  webhooksApiUrl: v.string(),
  url: v.string(),
  /** The secret with the Authorization value: another one for each `authorizationVersion`. */
  authorizationSecretArn: v.string(),
});

/** Properties of the custom resource, as CloudFormation sends them: everything is text. */
export const Properties = v.object({
  ...Identity.entries,
  takeOver: v.pipe(
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
});
export type Properties = v.InferOutput<typeof Properties>;

/** Of a resource that is deleted; an older release may have made it. */
export const DeletedProperties = v.object({
  subAccountId: v.string(),
  webhooksApiUrl: v.optional(v.string()),
  url: v.string(),
  onDelete: v.optional(v.picklist(['remove', 'keep']), 'remove'),
});

/** Stable, so that CloudFormation never takes an update for a replacement, whose clean-up would remove the webhook. */
export function physicalIdOf(subAccountId: string): string {
  return `8x8-webhook/${subAccountId}/VSS`;
}

/** What an update says of the registration that it is to change. */
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
    // Without any difference CloudFormation goes back from a failure, and what 8x8 has is not known.
    !isDeepStrictEqual(ResourceProperties, OldResourceProperties);
  return { previousUrl: previous.url, isKnown, isNew: false };
}
