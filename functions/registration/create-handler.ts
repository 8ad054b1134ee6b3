import { isDeepStrictEqual } from 'node:util';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type {
  CloudFormationCustomResourceCreateEvent,
  CloudFormationCustomResourceDeleteEvent,
  CloudFormationCustomResourceEvent,
  CloudFormationCustomResourceUpdateEvent,
} from 'aws-lambda';
import * as v from 'valibot';
import type { Counters, Log } from '../telemetry.ts';
import { CheckEvent, type Checked, check } from './check.ts';
import { findingOf, isSameUrl, shown } from './finding.ts';
import {
  ForeignWebhookError,
  type Registration,
  RegistrationError,
  register,
  unregister,
} from './register.ts';
import { RETRY_MS, type WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

interface Dependencies {
  /**
   * A client of 8x8 that retries for so long, at the address that the stage has now unless another is given; reads the
   * API key, and rejects with a clear message where there is none.
   */
  connect: (retryMs: number, webhooksApiUrl?: string) => Promise<WebhooksApi>;
  /** The text of a secret. */
  readSecret: (secretArn: string) => Promise<string>;
  /** What CloudFormation is doing with a stack, in its own words. */
  stackStatus: (stackId: string) => Promise<string>;
  /** The sub-accounts of the stage, as they are after the deployment, or after its rollback. */
  subAccountIds: readonly string[];
  pause: (milliseconds: number) => Promise<unknown>;
  logger: Log;
  metrics: Counters;
}

/** What 8x8 is told, and where. */
const Identity = v.object({
  subAccountId: v.string(),
  webhooksApiUrl: v.string(),
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
});

/** Of a resource that is deleted; an older release may have made it. */
const Deleted = v.object({
  subAccountId: v.string(),
  webhooksApiUrl: v.optional(v.string()),
  url: v.string(),
  onDelete: v.optional(v.picklist(['remove', 'keep']), 'remove'),
});

type Resource = { PhysicalResourceId: string };
type CreateEvent = CloudFormationCustomResourceCreateEvent;
type UpdateEvent = CloudFormationCustomResourceUpdateEvent;
type DeleteEvent = CloudFormationCustomResourceDeleteEvent;

/**
 * The custom resource that keeps a sub-account's webhook registered at 8x8 (CDK provider framework), and the check
 * whether it still is.
 */
export function createHandler(dependencies: Dependencies) {
  const { connect, readSecret, stackStatus, subAccountIds, pause, logger, metrics } = dependencies;

  async function create(event: CreateEvent): Promise<Resource> {
    const { takeOver } = v.parse(Properties, event.ResourceProperties);
    return apply(event, { takeOver, isKnown: false, isNew: true });
  }

  async function update(event: UpdateEvent): Promise<Resource> {
    const { takeOver, url, subAccountId, webhooksApiUrl } = v.parse(Properties, event.ResourceProperties);
    const isRollingBack = isRollback(await stackStatus(event.StackId));
    const change = changeOf(event);
    try {
      // What the template before allowed is no reason to replace, in a rollback, what the update has left alone.
      return await apply(event, { takeOver: takeOver && !isRollingBack, ...change });
    } catch (error) {
      const isHarmless =
        error instanceof ForeignWebhookError ||
        (isRefused(error) && change.previousUrl === url) ||
        (isRollingBack && !hasRemoved(error) && (await shows(webhooksApiUrl, subAccountId, url)));
      // Failing now would leave the stack in UPDATE_ROLLBACK_FAILED, which only helps where a retry can succeed.
      if (!isRollingBack || !isHarmless) throw error;
      logger.error('Not restored at 8x8', { subAccountId, error });
      return { PhysicalResourceId: physicalId(subAccountId) };
    }
  }

  /** Whether 8x8 shows the webhook as it should be; with which of the accepted Authorization values, it never shows. */
  async function shows(webhooksApiUrl: string, subAccountId: string, url: string): Promise<boolean> {
    const webhooks = connect(LOOK_AGAIN_MS, webhooksApiUrl).then((api) => api.list(subAccountId));
    return webhooks.then(
      (found) => findingOf(found, url) === undefined,
      () => false,
    );
  }

  /** Makes 8x8 have what the properties of an event say. */
  async function apply(
    event: CreateEvent | UpdateEvent,
    how: Pick<Registration, 'takeOver' | 'isKnown' | 'isNew' | 'previousUrl'>,
  ): Promise<Resource> {
    const { authorizationSecretArn, webhooksApiUrl, subAccountId, url } = v.parse(
      Properties,
      event.ResourceProperties,
    );
    const authorization = await readSecret(authorizationSecretArn);
    const api = await connect(RETRY_MS, webhooksApiUrl);
    const replaced = await register(api, { ...how, subAccountId, url, authorization }, pause);
    if (replaced.length > 0) {
      const details = { subAccountId, url, replaced: replaced.map((other) => shown(other, url)) };
      logger.warn('Took over the webhook of a sub-account', details);
    }
    return { PhysicalResourceId: physicalId(subAccountId) };
  }

  /** Whatever goes wrong here must not keep a stack from being deleted. */
  async function remove({ PhysicalResourceId, ResourceProperties, StackId }: DeleteEvent): Promise<Resource> {
    try {
      const { subAccountId, url, webhooksApiUrl, onDelete } = v.parse(Deleted, ResourceProperties);
      if (PhysicalResourceId !== physicalId(subAccountId)) return { PhysicalResourceId };
      const status = await stackStatus(StackId).catch(() => '');
      if (onDelete === 'keep' && !isRollback(status)) return { PhysicalResourceId };
      // After an update, what is cleaned up is the former resource of a sub-account that has another one now.
      if (/CLEANUP/.test(status) && subAccountIds.includes(subAccountId)) return { PhysicalResourceId };
      const removal = await unregister(await connect(RETRY_MS, webhooksApiUrl), subAccountId, url, pause);
      if (removal === 'not-ours') logger.warn('Left the webhook of someone else', { subAccountId });
    } catch (error) {
      logger.error('A webhook may still be registered; remove it at 8x8', { PhysicalResourceId, error });
    }
    return { PhysicalResourceId };
  }

  async function report(event: CheckEvent): Promise<Checked[]> {
    const all = await check(() => connect(CHECK_RETRY_MS), event);
    const isUnchecked = ({ problem }: Checked) => problem?.finding === 'not-checked';
    metrics.addMetric('WebhookUnchecked', MetricUnit.Count, all.filter(isUnchecked).length);
    for (const checked of all) {
      const { subAccountId, problem } = checked;
      // What could not be asked is neither: an outage of 8x8's API stops no delivery.
      if (!isUnchecked(checked)) metrics.addMetric('WebhookRegistered', MetricUnit.Count, problem ? 0 : 1);
      if (problem)
        logger.error('The webhook is not registered as it should be', { subAccountId, ...problem });
    }
    metrics.publishStoredMetrics();
    return all;
  }

  return async (event: CloudFormationCustomResourceEvent | CheckEvent): Promise<Resource | Checked[]> => {
    if ('check' in event) return report(v.parse(CheckEvent, event));
    try {
      if (event.RequestType === 'Delete') return await remove(event);
      return event.RequestType === 'Update' ? await update(event) : await create(event);
    } catch (error) {
      throw shortened(error);
    }
  };
}

/** How long a check is retried, in milliseconds: a person may be waiting for it (`npm run doctor`). */
const CHECK_RETRY_MS = 2 * 60_000;

/** How long a look is retried that follows a failure, in milliseconds: the function has little time left for it. */
export const LOOK_AGAIN_MS = 60_000;

/** Stable, so that CloudFormation never takes an update for a replacement, whose clean-up would remove the webhook. */
function physicalId(subAccountId: string): string {
  return `8x8-webhook/${subAccountId}/VSS`;
}

/** UPDATE_ROLLBACK_IN_PROGRESS and its clean-up, or ROLLBACK_IN_PROGRESS of a creation. */
function isRollback(stackStatus: string): boolean {
  return stackStatus.includes('ROLLBACK');
}

/** Whether what 8x8 shows may be gone in a moment. */
function hasRemoved(error: unknown): boolean {
  return error instanceof RegistrationError && error.hasRemoved;
}

/**
 * Whether 8x8 refused, and what is there was left as it is: it will have refused the update before too. With the URL
 * unchanged, either value that 8x8 may have is accepted.
 */
function isRefused(error: unknown): boolean {
  const cause = error instanceof RegistrationError && !hasRemoved(error) ? error.cause : error;
  if (!(cause instanceof WebhooksApiError)) return false;
  return cause.status !== undefined && cause.status < 500 && cause.status !== 429;
}

/** What an update says of the registration that it is to change. */
function changeOf({
  ResourceProperties,
  OldResourceProperties,
}: UpdateEvent): Pick<Registration, 'previousUrl' | 'isKnown' | 'isNew'> {
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

/** CloudFormation takes an answer of 4 KB, in which the provider framework puts the stack trace too. */
const LONGEST_MESSAGE = 1_900;

function shortened(error: unknown): unknown {
  if (!(error instanceof Error) || error.message.length <= LONGEST_MESSAGE) return error;
  return new Error(`${error.message.slice(0, LONGEST_MESSAGE)} ...`);
}
