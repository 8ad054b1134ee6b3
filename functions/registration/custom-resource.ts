import type {
  CloudFormationCustomResourceDeleteEvent,
  CloudFormationCustomResourceEvent,
  CloudFormationCustomResourceUpdateEvent,
} from 'aws-lambda';
import * as v from 'valibot';
import type { Log } from '../telemetry.ts';
import { findingOf, maskedUrl } from './finding.ts';
import { register } from './register.ts';
import { ForeignWebhookError, RegistrationError } from './registration-error.ts';
import { type Change, changeOf, DeletedProperties, Properties, physicalIdOf } from './resource-properties.ts';
import { unregister } from './unregister.ts';
import { RETRY_MS, type WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

export interface ResourceDependencies {
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
  logger: Log;
}

export type Resource = { PhysicalResourceId: string };

/** Does what CloudFormation asks for: creates, updates or deletes the resource. */
export async function applyResourceEvent(
  dependencies: ResourceDependencies,
  event: CloudFormationCustomResourceEvent,
): Promise<Resource> {
  if (event.RequestType === 'Delete') return deleteResource(dependencies, event);
  if (event.RequestType === 'Update') return updateResource(dependencies, event);
  const properties = v.parse(Properties, event.ResourceProperties);
  return registerResource(dependencies, properties, { isKnown: false, isNew: true });
}

async function updateResource(
  dependencies: ResourceDependencies,
  event: CloudFormationCustomResourceUpdateEvent,
): Promise<Resource> {
  const properties = v.parse(Properties, event.ResourceProperties);
  const { subAccountId, takeOver } = properties;
  const isRollingBack = isRollback(await dependencies.stackStatus(event.StackId));
  const change = changeOf(event);
  try {
    // What the template before allowed is no reason to replace, in a rollback, what the update has left alone.
    const allowed = { ...properties, takeOver: takeOver && !isRollingBack };
    return await registerResource(dependencies, allowed, change);
  } catch (error) {
    // Failing now would leave the stack in UPDATE_ROLLBACK_FAILED, which only helps where a retry can succeed.
    if (!isRollingBack || !(await isHarmless(dependencies, error, properties, change))) throw error;
    dependencies.logger.error('Not restored at 8x8', { subAccountId, error });
    return { PhysicalResourceId: physicalIdOf(subAccountId) };
  }
}

/** Whatever goes wrong here must not keep a stack from being deleted. */
async function deleteResource(
  { connect, stackStatus, subAccountIds, logger }: ResourceDependencies,
  { PhysicalResourceId, ResourceProperties, StackId }: CloudFormationCustomResourceDeleteEvent,
): Promise<Resource> {
  try {
    const { subAccountId, url, webhooksApiUrl, onDelete } = v.parse(DeletedProperties, ResourceProperties);
    if (PhysicalResourceId !== physicalIdOf(subAccountId)) return { PhysicalResourceId };
    const status = await stackStatus(StackId).catch(() => '');
    if (onDelete === 'keep' && !isRollback(status)) return { PhysicalResourceId };
    // After an update, what is cleaned up is the former resource of a sub-account that has another one now.
    if (/CLEANUP/.test(status) && subAccountIds.includes(subAccountId)) return { PhysicalResourceId };
    const removal = await unregister(await connect(RETRY_MS, webhooksApiUrl), subAccountId, url);
    if (removal === 'not-ours') logger.warn('Left the webhook of someone else', { subAccountId });
  } catch (error) {
    logger.error('A webhook may still be registered; remove it at 8x8', { PhysicalResourceId, error });
  }
  return { PhysicalResourceId };
}

/** Makes 8x8 have what the properties say. */
async function registerResource(
  { connect, readSecret, logger }: ResourceDependencies,
  { subAccountId, url, takeOver, authorizationSecretArn, webhooksApiUrl }: Properties,
  change: Change,
): Promise<Resource> {
  const authorization = await readSecret(authorizationSecretArn);
  const api = await connect(RETRY_MS, webhooksApiUrl);
  const replaced = await register(api, { ...change, subAccountId, url, takeOver, authorization });
  if (replaced.length > 0) {
    const details = { subAccountId, url, replaced: replaced.map((other) => maskedUrl(other, url)) };
    logger.warn('Took over the webhook of a sub-account', details);
  }
  return { PhysicalResourceId: physicalIdOf(subAccountId) };
}

/** UPDATE_ROLLBACK_IN_PROGRESS and its clean-up, or ROLLBACK_IN_PROGRESS of a creation. */
function isRollback(stackStatus: string): boolean {
  return stackStatus.includes('ROLLBACK');
}

/** Whether a rollback may go on although it has not restored the registration. */
async function isHarmless(
  { connect }: ResourceDependencies,
  error: unknown,
  { webhooksApiUrl, subAccountId, url }: Properties,
  { previousUrl }: Change,
): Promise<boolean> {
  if (error instanceof ForeignWebhookError || (isRefused(error) && previousUrl === url)) return true;
  if (hasRemoved(error)) return false;
  // With which of the accepted Authorization values, 8x8 never shows.
  const webhooks = connect(RECHECK_RETRY_MS, webhooksApiUrl).then((api) => api.list(subAccountId));
  return webhooks.then(
    (found) => findingOf(found, url) === undefined,
    () => false,
  );
}

/** How long a look is retried that follows a failure, in milliseconds: the function has little time left for it. */
export const RECHECK_RETRY_MS = 60_000;

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
