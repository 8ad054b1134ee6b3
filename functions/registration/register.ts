import { describeFinding, type Finding, findingOf, isSameUrl, listed, shown } from './finding.ts';
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

/** Where people see and change the webhooks of their account. */
const PORTAL = 'https://connect.8x8.com/webhooks';

/** A webhook of someone else is registered, and may not be replaced. Nothing was changed. */
export class ForeignWebhookError extends Error {
  override name = 'ForeignWebhookError';

  constructor({ subAccountId, url }: Registration, foreign: readonly Webhook[]) {
    super(
      `Sub-account ${subAccountId}: 8x8 delivers to ${listed(foreign, url)}, not to ${shown(url, url)}. That webhook is not ` +
        `this stack's, so it was left as it is. Remove it at ${PORTAL}, or set takeOver to true in the settings of ` +
        'this stage to replace it.',
    );
  }
}

/** A registration failed. Its cause is what failed at 8x8. */
export class RegistrationError extends Error {
  override name = 'RegistrationError';
  /** Whether a webhook that was there has been removed, or may have been. */
  readonly hasRemoved: boolean;

  constructor(message: string, { cause, hasRemoved }: { cause: unknown; hasRemoved: boolean }) {
    super(message, { cause });
    this.hasRemoved = hasRemoved;
  }
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
 * @param pause Waits, until 8x8 shows what it was told.
 * @throws ForeignWebhookError; WebhooksApiError at the first look; RegistrationError after it.
 */
export async function register(
  api: WebhooksApi,
  registration: Registration,
  pause: Pause,
): Promise<string[]> {
  const { subAccountId, url, isKnown, isNew } = registration;
  const before = await api.list(subAccountId);
  const foreign = foreignWebhooks(before, registration);
  assertMayReplace(foreign, registration);
  if (isKnown && findingOf(before, url) === undefined) return [];

  const progress = { hasRemoved: false, mayBeThere: false };
  try {
    await put(api, registration, before.length > 0, progress, pause);
  } catch (error) {
    const hadOurs = before.length > foreign.length;
    const rest = isNew && !hadOurs && progress.mayBeThere ? await undo(api, registration, error, pause) : '';
    const fate = fateOf(before, foreign, url, progress);
    if (error instanceof ForeignWebhookError && !progress.mayBeThere) throw error;
    const message = `${error instanceof Error ? error.message : error}${fate}${rest}`;
    throw new RegistrationError(message, { cause: error, hasRemoved: progress.hasRemoved });
  }
  return foreign.map((webhook) => webhook.url);
}

type Pause = (milliseconds: number) => Promise<unknown>;

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
async function put(
  api: WebhooksApi,
  registration: Registration,
  exists: boolean,
  progress: Progress,
  pause: Pause,
): Promise<void> {
  const { subAccountId, url } = registration;
  const failure = await api.create(subAccountId, registration).then(() => undefined, apiErrorOrThrow);
  const mayHaveArrived = failure?.mayHaveArrived ?? true;
  if (mayHaveArrived) progress.mayBeThere = true;
  const isConflict = failure?.isConflict === true;
  // One that existed looks the same before and after: only with the API's word can it be taken for the new one.
  if (failure && exists && !isConflict) throw failure;

  // What it may have accepted, 8x8 may show a moment later.
  const isSettled = (shown: Webhook[]) => !mayHaveArrived || findingOf(shown, url) === undefined;
  const after = await look(api, subAccountId, isSettled, pause).catch((error: unknown) => {
    throw failure ?? error;
  });
  const finding = findingOf(after, url);
  // Refused, where none existed before, and registered now: an earlier attempt arrived, and its answer was lost.
  if (!finding && !(exists && isConflict)) return;
  if (!exists) throw failure ?? differing(registration, finding ?? 'gone', after);

  assertMayReplace(foreignWebhooks(after, registration), registration);
  progress.mayBeThere = false;
  await remove(api, subAccountId, url, pause, progress);
  await put(api, registration, false, progress, pause);
}

function apiErrorOrThrow(error: unknown): WebhooksApiError {
  if (error instanceof WebhooksApiError) return error;
  throw error;
}

/** Maximum number of polls, and the delay between them, until 8x8 lists the webhook. */
const LOOKS = 4;
const LOOK_PAUSE_MS = 2_000;

/** What 8x8 shows, once it is as expected or was looked at often enough. */
async function look(
  api: WebhooksApi,
  subAccountId: string,
  isExpected: (webhooks: Webhook[]) => boolean,
  pause: Pause,
): Promise<Webhook[]> {
  for (let looks = 1; ; looks++) {
    const webhooks = await api.list(subAccountId);
    if (isExpected(webhooks) || looks === LOOKS) return webhooks;
    await pause(LOOK_PAUSE_MS);
  }
}

function differing(
  { subAccountId, url }: Registration,
  finding: Finding,
  webhooks: readonly Webhook[],
): Error {
  return new Error(
    `Sub-account ${subAccountId}: 8x8 accepted the webhook, but ${describeFinding(finding, webhooks, url)}. ` +
      `If it stays so, remove the VSS webhook at ${PORTAL}.`,
  );
}

/** What became of the webhooks that were there before. */
function fateOf(
  before: readonly Webhook[],
  foreign: readonly Webhook[],
  url: string,
  progress: Progress,
): string {
  if (progress.hasRemoved)
    return ` The webhook that was there, ${listed(before, url)}, has been removed, or may have been: 8x8 delivers nowhere until this is done again.`;
  if (progress.mayBeThere && foreign.length > 0)
    return ` The webhook that was there, ${listed(foreign, url)}, may have been replaced.`;
  if (before.length > 0)
    return ` ${listed(before, url)} is still registered; if 8x8 refuses because of that, remove it at ${PORTAL}.`;
  return '';
}

/** Leaves nothing behind. Returns what to say if that is not certain. */
async function undo(
  api: WebhooksApi,
  { subAccountId, url }: Registration,
  error: unknown,
  pause: Pause,
): Promise<string> {
  const mayBeLeft = ` Our webhook may still be registered, or be so in a moment; look at ${PORTAL}, and remove it there.`;
  try {
    const webhooks = await api.list(subAccountId);
    if (!webhooks.every((webhook) => isSameUrl(webhook.url, url))) return mayBeLeft;
    const wasThere = await remove(api, subAccountId, url, pause);
    const isLate = error instanceof WebhooksApiError && error.mayHaveArrived;
    return wasThere && !isLate ? '' : mayBeLeft;
  } catch {
    return mayBeLeft;
  }
}

/** What became of a webhook that is to be removed. */
export type Removal = 'removed' | 'nothing-there' | 'not-ours';

/** Removes a webhook, but only one with our URL. */
export async function unregister(
  api: WebhooksApi,
  subAccountId: string,
  url: string,
  pause: Pause,
): Promise<Removal> {
  const webhooks = await api.list(subAccountId);
  if (webhooks.length === 0) return 'nothing-there';
  // Removing goes by the type alone: were there two, it might take the other.
  if (!webhooks.every((webhook) => isSameUrl(webhook.url, url))) return 'not-ours';
  await remove(api, subAccountId, url, pause);
  return 'removed';
}

/** Removes the VSS webhook, and makes sure that it is gone. False if 8x8 says that there was none. */
async function remove(
  api: WebhooksApi,
  subAccountId: string,
  url: string,
  pause: Pause,
  progress?: Progress,
): Promise<boolean> {
  const wasThere = await api.remove(subAccountId).catch((error: unknown) => {
    if (progress) progress.hasRemoved = error instanceof WebhooksApiError && error.mayHaveArrived;
    throw error;
  });
  if (progress) progress.hasRemoved = true;
  const left = await look(api, subAccountId, (webhooks) => webhooks.length === 0, pause);
  if (left.length === 0) return wasThere;
  throw new Error(
    `Sub-account ${subAccountId}: 8x8 should have removed the VSS webhook, but still shows ${listed(left, url)}. ` +
      `Remove it at ${PORTAL}.`,
  );
}
