import { describeFinding, type Finding, findingOf, isSameUrl, maskedUrls, PORTAL_URL } from './finding.ts';
import { ForeignWebhookError, RegistrationError } from './registration-error.ts';
import { assertRemoved, undoCreation } from './unregister.ts';
import type { Webhook } from './webhook-list.ts';
import type { WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

/** The webhook to register for a sub-account, and the conditions. */
export interface Registration {
  subAccountId: string;
  url: string;
  /** The value of the Authorization header that 8x8 will send. */
  authorization: string;
  /** The previous URL of this stack, which may still be registered. */
  previousUrl?: string | undefined;
  /** Whether a webhook that does not point at this stack may be replaced. */
  takeOver: boolean;
  /** Whether this URL and this value were registered before: then nothing is written if 8x8 shows what is expected. */
  isKnown: boolean;
  /** Whether a failure is undone, so that no webhook of this stack remains. */
  isNew: boolean;
}

/** What changed at 8x8 before a failure. */
interface Progress {
  /** Whether an existing webhook was removed, may have been removed, or may be removed shortly. */
  hasRemoved: boolean;
  /** Whether our webhook was created, may have been created, or may be created shortly. */
  mayBeThere: boolean;
}

/**
 * Registers the webhook, and verifies that 8x8 shows exactly one: with our URL, enabled, with an Authorization header.
 * Writes nothing if the registration is known and correct. Returns the URLs of the foreign webhooks that it replaced.
 *
 * @throws ForeignWebhookError; WebhooksApiError if the first list fails; RegistrationError after that.
 */
export async function register(api: WebhooksApi, registration: Registration): Promise<string[]> {
  const { subAccountId, url, isKnown, isNew } = registration;
  const before = await api.list(subAccountId);
  const foreign = foreignWebhooks(before, registration);
  assertMayReplace(foreign, registration);
  if (isKnown && findingOf(before, url) === undefined) return [];

  const progress = { hasRemoved: false, mayBeThere: false };
  try {
    await createAndVerify(api, registration, before.length > 0, progress);
  } catch (error) {
    if (error instanceof ForeignWebhookError && !progress.mayBeThere) throw error;
    const hadOurs = before.length > foreign.length;
    const left = isNew && !hadOurs && progress.mayBeThere ? await undoCreation(api, registration, error) : '';
    const reason = error instanceof Error ? error.message : error;
    const message = `${reason}${describeFormer(before, foreign, url, progress)}${left}`;
    throw new RegistrationError(message, { cause: error, hasRemoved: progress.hasRemoved });
  }
  return foreign.map((webhook) => webhook.url);
}

/** The webhooks that do not point at this stack. */
function foreignWebhooks(webhooks: readonly Webhook[], { url, previousUrl = url }: Registration): Webhook[] {
  return webhooks.filter((webhook) => ![url, previousUrl].some((own) => isSameUrl(own, webhook.url)));
}

/** @throws ForeignWebhookError unless there are none, or `takeOver` allows replacing them. */
function assertMayReplace(foreign: readonly Webhook[], registration: Registration): void {
  if (foreign.length > 0 && !registration.takeOver) throw new ForeignWebhookError(registration, foreign);
}

/**
 * Creates the webhook and verifies it. 8x8 does not document whether a second POST replaces an existing webhook or is
 * rejected. Removing the existing one first would work in both cases, but loses every session that ends in between. So
 * it is removed only if the POST does not succeed without that.
 */
async function createAndVerify(
  api: WebhooksApi,
  registration: Registration,
  exists: boolean,
  progress: Progress,
): Promise<void> {
  const { subAccountId, url } = registration;
  const failure = await api.create(subAccountId, registration).then(() => undefined, apiErrorOrThrow);
  const mayHaveArrived = failure?.mayHaveArrived ?? true;
  if (mayHaveArrived) progress.mayBeThere = true;
  const isConflict = failure?.isConflict === true;
  // An existing webhook looks the same before and after, so the list cannot prove that a failed POST took effect.
  if (failure && exists && !isConflict) throw failure;

  // The list may be eventually consistent, so poll for a webhook that 8x8 may have accepted.
  const isSettled = (listed: Webhook[]) => !mayHaveArrived || findingOf(listed, url) === undefined;
  const after = await api.listUntil(subAccountId, isSettled).catch((error: unknown) => {
    throw failure ?? error;
  });
  const finding = findingOf(after, url);
  // If none existed, this holds even after a failure: an attempt took effect, and its response was lost.
  if (!finding && !(exists && isConflict)) return;
  if (!exists) throw failure ?? unverifiedError(registration, finding ?? 'gone', after);

  assertMayReplace(foreignWebhooks(after, registration), registration);
  progress.mayBeThere = false;
  await removeExisting(api, registration, progress);
  await createAndVerify(api, registration, false, progress);
}

function apiErrorOrThrow(error: unknown): WebhooksApiError {
  if (error instanceof WebhooksApiError) return error;
  throw error;
}

async function removeExisting(api: WebhooksApi, { subAccountId, url }: Registration, progress: Progress) {
  await api.remove(subAccountId).catch((error: unknown) => {
    progress.hasRemoved = error instanceof WebhooksApiError && error.mayHaveArrived;
    throw error;
  });
  progress.hasRemoved = true;
  await assertRemoved(api, subAccountId, url);
}

function unverifiedError({ subAccountId, url }: Registration, finding: Finding, webhooks: Webhook[]): Error {
  return new Error(
    `Sub-account ${subAccountId}: 8x8 accepted the webhook, but ${describeFinding(finding, webhooks, url)}. ` +
      `If this persists, remove the VSS webhook at ${PORTAL_URL}.`,
  );
}

/** Describes what happened to the webhooks that were registered before. */
function describeFormer(
  before: readonly Webhook[],
  foreign: readonly Webhook[],
  url: string,
  { hasRemoved, mayBeThere }: Progress,
): string {
  if (hasRemoved)
    return ` The previous webhook, ${maskedUrls(before, url)}, has been removed, or may have been: 8x8 delivers nowhere until one is registered again.`;
  if (mayBeThere && foreign.length > 0)
    return ` The previous webhook, ${maskedUrls(foreign, url)}, may have been replaced.`;
  if (before.length > 0)
    return ` ${maskedUrls(before, url)} is still registered; if 8x8 refuses because of that, remove it at ${PORTAL_URL}.`;
  return '';
}
