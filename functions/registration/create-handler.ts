import { isDeepStrictEqual } from 'node:util';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type {
  CloudFormationCustomResourceDeleteEvent,
  CloudFormationCustomResourceEvent,
  CloudFormationCustomResourceUpdateEvent,
} from 'aws-lambda';
import * as v from 'valibot';
import type { Counters, Log } from '../telemetry.ts';
import { type CheckEvent, type Checked, check } from './check.ts';
import { isSameUrl, shown } from './finding.ts';
import { ForeignWebhookError, type Registration, register, unregister } from './register.ts';
import type { WebhooksApi } from './webhooks-api.ts';

interface Dependencies {
  /** Reads the API key; rejects with a clear message where there is none. */
  connect: () => Promise<WebhooksApi>;
  /** The text of a secret. */
  readSecret: (secretArn: string) => Promise<string>;
  /** Whether a stack is going back to what it was before an update. */
  isRollingBack: (stackId: string) => Promise<boolean>;
  logger: Log;
  metrics: Counters;
}

const Identity = v.object({
  subAccountId: v.string(),
  url: v.string(),
  /** The secret with the Authorization value: another one for each `authorizationVersion`. */
  authorizationSecretArn: v.string(),
});

/** Properties of the custom resource, as CloudFormation sends them: everything is text. */
const Properties = v.object({
  ...Identity.entries,
  takeOver: v.pipe(
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
  onDelete: v.picklist(['remove', 'keep']),
});

type Resource = { PhysicalResourceId: string };

/**
 * The custom resource that keeps a sub-account's webhook registered at 8x8 (CDK provider framework), and the check
 * whether it still is.
 */
export function createHandler({ connect, readSecret, isRollingBack, logger, metrics }: Dependencies) {
  async function put(event: Exclude<CloudFormationCustomResourceEvent, DeleteEvent>): Promise<Resource> {
    const { authorizationSecretArn, ...wanted } = v.parse(Properties, event.ResourceProperties);
    const registration = {
      ...wanted,
      ...(event.RequestType === 'Update' ? sincePrevious(event) : { isKnown: false, isNew: true }),
      authorization: await readSecret(authorizationSecretArn),
    };
    const { subAccountId, url } = registration;
    const replaced = await register(await connect(), registration);
    if (replaced.length > 0) {
      logger.warn('Took over the webhook of a sub-account', {
        subAccountId,
        url,
        replaced: replaced.map(shown),
      });
    }
    return { PhysicalResourceId: physicalId(subAccountId) };
  }

  async function update(event: UpdateEvent): Promise<Resource> {
    try {
      return await put(event);
    } catch (error) {
      // What the refused update found is there still, and was there before: nothing is to be restored, and a second
      // refusal would leave the stack in UPDATE_ROLLBACK_FAILED.
      if (!(error instanceof ForeignWebhookError)) throw error;
      if (!(await isRollingBack(event.StackId).catch(() => false))) throw error;
      logger.error('Not registered, as before this deployment', { error });
      return { PhysicalResourceId: event.PhysicalResourceId };
    }
  }

  /** Whatever goes wrong here must not keep a stack from being deleted. */
  async function remove(event: DeleteEvent): Promise<Resource> {
    const { PhysicalResourceId } = event;
    try {
      const { subAccountId, url, onDelete } = v.parse(Properties, event.ResourceProperties);
      if (onDelete === 'keep' || PhysicalResourceId !== physicalId(subAccountId))
        return { PhysicalResourceId };
      const removal = await unregister(await connect(), subAccountId, url);
      if (removal === 'not-ours') logger.warn('Left the webhook of someone else', { subAccountId });
    } catch (error) {
      logger.error('A webhook may still be registered; remove it at 8x8', { PhysicalResourceId, error });
    }
    return { PhysicalResourceId };
  }

  async function report(event: CheckEvent): Promise<Checked[]> {
    const all = await check(connect, event);
    for (const { subAccountId, problem } of all) {
      metrics.addMetric('WebhookRegistered', MetricUnit.Count, problem ? 0 : 1);
      if (problem)
        logger.error('The webhook is not registered as it should be', { subAccountId, ...problem });
    }
    metrics.publishStoredMetrics();
    return all;
  }

  return async (event: CloudFormationCustomResourceEvent | CheckEvent): Promise<Resource | Checked[]> => {
    if ('check' in event) return report(event);
    if (event.RequestType === 'Delete') return remove(event);
    return event.RequestType === 'Update' ? update(event) : put(event);
  };
}

type DeleteEvent = CloudFormationCustomResourceDeleteEvent;
type UpdateEvent = CloudFormationCustomResourceUpdateEvent;

/** Stable, so that CloudFormation never takes an update for a replacement, whose clean-up would remove the webhook. */
function physicalId(subAccountId: string): string {
  return `8x8-webhook/${subAccountId}/VSS`;
}

/** What an update says of the registration that it is to change. */
function sincePrevious({
  ResourceProperties,
  OldResourceProperties,
}: UpdateEvent): Pick<Registration, 'previousUrl' | 'isKnown' | 'isNew'> {
  const now = v.parse(Identity, ResourceProperties);
  const previous = v.parse(Identity, OldResourceProperties);
  if (previous.subAccountId !== now.subAccountId) return { isKnown: false, isNew: true };
  const isKnown =
    previous.authorizationSecretArn === now.authorizationSecretArn &&
    isSameUrl(previous.url, now.url) &&
    // Without any difference CloudFormation goes back from a failure, and what 8x8 has is not known.
    !isDeepStrictEqual(ResourceProperties, OldResourceProperties);
  return { previousUrl: previous.url, isKnown, isNew: false };
}
