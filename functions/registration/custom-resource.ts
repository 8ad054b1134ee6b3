import type {
  CloudFormationCustomResourceCreateEvent,
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
import { undoCreation, unregister } from './unregister.ts';
import { RETRY_MS, type WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

export interface ResourceDependencies {
  /**
   * Creates a client of 8x8 that retries for `retryMs`. `webhooksApiUrl` defaults to the current setting of the stage.
   * Reads the API key, and rejects if the secret does not contain one.
   */
  connect: (retryMs: number, webhooksApiUrl?: string) => Promise<WebhooksApi>;
  /** Reads the text of a secret. */
  readSecret: (secretArn: string) => Promise<string>;
  /** Reads the CloudFormation status of a stack, such as UPDATE_IN_PROGRESS. */
  stackStatus: (stackId: string) => Promise<string>;
  /** The sub-accounts of the stage once the deployment, or its rollback, is complete. */
  subAccountIds: readonly string[];
  logger: Log;
}

export type Resource = { PhysicalResourceId: string };

/** Creates, updates or deletes the resource, as the event requests. */
export async function applyResourceEvent(
  dependencies: ResourceDependencies,
  event: CloudFormationCustomResourceEvent,
): Promise<Resource> {
  if (event.RequestType === 'Delete') return deleteResource(dependencies, event);
  if (event.RequestType === 'Update') return updateResource(dependencies, event);
  return createResource(dependencies, event);
}

async function createResource(
  dependencies: ResourceDependencies,
  { ResourceProperties, StackId }: CloudFormationCustomResourceCreateEvent,
): Promise<Resource> {
  const { connect, stackStatus } = dependencies;
  const properties = v.parse(Properties, ResourceProperties);
  const resource = await registerResource(dependencies, properties, { isKnown: false, isNew: true });
  const status = await stackStatus(StackId).catch(() => '');
  if (!isRollback(status) && !status.startsWith('DELETE')) return resource;
  // CloudFormation no longer waits for the creation, and may have sent its Delete before the webhook was registered.
  const error = new Error(
    `Sub-account ${properties.subAccountId}: not registered, because the stack is ${status}.`,
  );
  const api = await connect(RECHECK_RETRY_MS, properties.webhooksApiUrl);
  throw new Error(`${error.message}${await undoCreation(api, properties, error)}`);
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
    // A rollback never takes over: it must not replace a webhook that the failed update left unchanged.
    const allowed = { ...properties, takeOver: takeOver && !isRollingBack };
    return await registerResource(dependencies, allowed, change);
  } catch (error) {
    // Failing here leaves the stack in UPDATE_ROLLBACK_FAILED, which helps only if a retry can succeed.
    if (!isRollingBack || !(await isHarmless(dependencies, error, properties, change))) throw error;
    dependencies.logger.error('Not restored at 8x8', { subAccountId, error });
    return { PhysicalResourceId: physicalIdOf(subAccountId) };
  }
}

/**
 * Never rejects: no failure at 8x8 may prevent the deletion of a stack. The properties say what to remove, because
 * CloudFormation makes up a physical id if it gave up waiting for the creation.
 *
 * @see https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1814
 */
async function deleteResource(
  { connect, stackStatus, subAccountIds, logger }: ResourceDependencies,
  { PhysicalResourceId, ResourceProperties, StackId }: CloudFormationCustomResourceDeleteEvent,
): Promise<Resource> {
  try {
    const { subAccountId, url, webhooksApiUrl, onDelete } = v.parse(DeletedProperties, ResourceProperties);
    const status = await stackStatus(StackId).catch(() => '');
    if (onDelete === 'keep' && !isRollback(status)) return { PhysicalResourceId };
    // The clean-up after an update deletes the old resource of a sub-account that already has a new one.
    if (/CLEANUP/.test(status) && subAccountIds.includes(subAccountId)) return { PhysicalResourceId };
    const removal = await unregister(await connect(RETRY_MS, webhooksApiUrl), subAccountId, url);
    if (removal === 'not-ours') logger.warn('Left the webhook of someone else', { subAccountId });
  } catch (error) {
    logger.error('A webhook may still be registered; remove it at 8x8', { PhysicalResourceId, error });
  }
  return { PhysicalResourceId };
}

/** Registers the webhook at 8x8 as the properties specify. */
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

/** Matches UPDATE_ROLLBACK_IN_PROGRESS and its clean-up, and ROLLBACK_IN_PROGRESS of a creation. */
function isRollback(stackStatus: string): boolean {
  return stackStatus.includes('ROLLBACK');
}

/** Whether a rollback may continue although it did not restore the registration. */
async function isHarmless(
  { connect }: ResourceDependencies,
  error: unknown,
  { webhooksApiUrl, subAccountId, url }: Properties,
  { previousUrl }: Change,
): Promise<boolean> {
  if (error instanceof ForeignWebhookError || (isRefused(error) && previousUrl === url)) return true;
  if (hasRemoved(error)) return false;
  // 8x8 does not show which Authorization value it sends, but the webhook accepts both.
  const webhooks = connect(RECHECK_RETRY_MS, webhooksApiUrl).then((api) => api.list(subAccountId));
  return webhooks.then(
    (found) => findingOf(found, url) === undefined,
    () => false,
  );
}

/** How long the list after a failure retries, in milliseconds. Short, because little of the function's time is left. */
export const RECHECK_RETRY_MS = 60_000;

/** Whether a webhook that 8x8 still shows may disappear shortly. */
function hasRemoved(error: unknown): boolean {
  return error instanceof RegistrationError && error.hasRemoved;
}

/**
 * Whether 8x8 rejected the request and left the webhook unchanged. It then probably rejected the preceding update too.
 * If the URL is unchanged, the webhook accepts either value that 8x8 may send.
 */
function isRefused(error: unknown): boolean {
  const cause = error instanceof RegistrationError && !hasRemoved(error) ? error.cause : error;
  if (!(cause instanceof WebhooksApiError)) return false;
  return cause.status !== undefined && cause.status < 500 && cause.status !== 429;
}
