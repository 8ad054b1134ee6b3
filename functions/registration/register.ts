import { describeFinding, type Finding, findingOf, isSameUrl, maskedUrls, PORTAL_URL } from './finding.ts';
import { ForeignWebhookError, RegistrationError } from './registration-error.ts';
import { assertRemoved, undoCreation } from './unregister.ts';
import type { Webhook } from './webhook-list.ts';
import type { WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

/** What is to be registered for a sub-account. */
export interface Registration {
  subAccountId: string;
  url: string;
  /** The value that 8x8 is to send as the Authorization header. */
  authorization: string;
  /** Another URL of ours, under which it may be registered still. */
  previousUrl?: string | undefined;
  /** Whether a webhook of someone else may be replaced. */
  takeOver: boolean;
  /** Whether 8x8 was given this URL and this value before, so that there is nothing to write if all looks right. */
  isKnown: boolean;
  /** Whether nothing is to be left behind when it fails. */
  isNew: boolean;
}

/** What was done at 8x8 until it failed. */
interface Progress {
  /** Whether a webhook that was there has been removed, or may have been, or may be in a moment. */
  hasRemoved: boolean;
  /** Whether our webhook was created, or may have been, or may be when 8x8 gets to it. */
  mayBeThere: boolean;
}

/**
 * Registers a webhook so that 8x8 shows it: one, with our URL, enabled, with an Authorization header. Writes
 * nothing when nothing is wrong. Returns the URLs of others' webhooks that it replaced.
 *
 * @throws ForeignWebhookError; WebhooksApiError at the first look; RegistrationError after it.
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
 * Creates the webhook and makes sure of it. Creating may replace one that exists, or be refused because of it: 8x8
 * does not say which. Removing it first would be right in both cases, but would lose every session that ends in
 * between; so that is done only if need be.
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
  // One that existed looks the same before and after: only with the API's word can it be taken for the new one.
  if (failure && exists && !isConflict) throw failure;

  // What it may have accepted, 8x8 may show a moment later.
  const isSettled = (listed: Webhook[]) => !mayHaveArrived || findingOf(listed, url) === undefined;
  const after = await api.listUntil(subAccountId, isSettled).catch((error: unknown) => {
    throw failure ?? error;
  });
  const finding = findingOf(after, url);
  // Refused, where none existed before, and registered now: an earlier attempt arrived, and its answer was lost.
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
      `If it stays so, remove the VSS webhook at ${PORTAL_URL}.`,
  );
}

/** What became of the webhooks that were there before. */
function describeFormer(
  before: readonly Webhook[],
  foreign: readonly Webhook[],
  url: string,
  { hasRemoved, mayBeThere }: Progress,
): string {
  if (hasRemoved)
    return ` The webhook that was there, ${maskedUrls(before, url)}, has been removed, or may have been: 8x8 delivers nowhere until this is done again.`;
  if (mayBeThere && foreign.length > 0)
    return ` The webhook that was there, ${maskedUrls(foreign, url)}, may have been replaced.`;
  if (before.length > 0)
    return ` ${maskedUrls(before, url)} is still registered; if 8x8 refuses because of that, remove it at ${PORTAL_URL}.`;
  return '';
}
