import { describeFinding, type Finding, findingOf, isSameUrl, listed, shown } from './finding.ts';
import { type Webhook, type WebhooksApi, WebhooksApiError } from './webhooks-api.ts';

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
      `Sub-account ${subAccountId}: 8x8 delivers to ${listed(foreign)}, not to ${shown(url)}. That webhook is not ` +
        `this stack's, so it was left as it is. Remove it at ${PORTAL}, or set takeOver to true in the settings of ` +
        'this stage to replace it.',
    );
  }
}

/**
 * Registers a webhook so that 8x8 shows it: one, with our URL, enabled, with an Authorization header. Writes
 * nothing when nothing is wrong. Returns the URLs of others' webhooks that it replaced.
 *
 * @throws ForeignWebhookError, WebhooksApiError, or an Error that says what 8x8 shows instead.
 */
export async function register(api: WebhooksApi, registration: Registration): Promise<string[]> {
  const { subAccountId, url, isKnown, isNew } = registration;
  const before = await api.list(subAccountId);
  const foreign = foreignOf(before, registration);
  if (isKnown && findingOf(before, url) === undefined) return [];
  try {
    await put(api, registration, before.length > 0);
  } catch (error) {
    if (error instanceof ForeignWebhookError) throw error;
    const loss = foreign.length > 0 ? ` Before, 8x8 delivered to ${listed(foreign)}.` : '';
    const rest = isNew ? await undo(api, registration) : '';
    throw new Error(`${error instanceof Error ? error.message : error}${loss}${rest}`, { cause: error });
  }
  return foreign.map((webhook) => webhook.url);
}

/** The webhooks of others. @throws ForeignWebhookError when there are some that may not be replaced. */
function foreignOf(webhooks: readonly Webhook[], registration: Registration): Webhook[] {
  const ours = [registration.url, registration.previousUrl ?? registration.url];
  const foreign = webhooks.filter((webhook) => !ours.some((url) => isSameUrl(url, webhook.url)));
  if (foreign.length > 0 && !registration.takeOver) throw new ForeignWebhookError(registration, foreign);
  return foreign;
}

/**
 * Creates the webhook and makes sure of it. Creating may replace one that exists, or be refused because of it: 8x8
 * does not say which. Removing it first would be right in both cases, but would lose every session that ends in
 * between; so that is done only if need be.
 */
async function put(api: WebhooksApi, registration: Registration, exists: boolean): Promise<void> {
  const { subAccountId, url } = registration;
  const refusal = await api.create(subAccountId, registration).then(() => undefined, refusalOrThrow);
  const after = await api.list(subAccountId);
  const finding = findingOf(after, url);
  // Refused, where none existed before, and registered now: an earlier attempt arrived, and its answer was lost.
  if (!finding && !(refusal && exists)) return;
  if (!exists && finding) throw refusal ?? new Error(differing(registration, finding, after));

  foreignOf(after, registration);
  await remove(api, subAccountId);
  await put(api, registration, false);
}

/** The statuses that a refusal because of an existing webhook may have. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([400, 409, 422]);

function refusalOrThrow(error: unknown): Error {
  if (error instanceof WebhooksApiError && REFUSALS.has(error.status)) return error;
  throw error;
}

function differing({ subAccountId, url }: Registration, finding: Finding, shown: readonly Webhook[]): string {
  return (
    `Sub-account ${subAccountId}: 8x8 accepted the webhook, but ${describeFinding(finding, shown, url)}. ` +
    `If it stays so, remove the VSS webhook at ${PORTAL}.`
  );
}

/** Leaves nothing behind. Returns what to say if that fails too. */
async function undo(api: WebhooksApi, { subAccountId, url }: Registration): Promise<string> {
  try {
    await unregister(api, subAccountId, url);
    return '';
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    return ` What was registered may still be there (${reason}); remove it at ${PORTAL}.`;
  }
}

/** What became of a webhook that is to be removed. */
export type Removal = 'removed' | 'nothing-there' | 'not-ours';

/** Removes a webhook, but only one with our URL. */
export async function unregister(api: WebhooksApi, subAccountId: string, url: string): Promise<Removal> {
  const webhooks = await api.list(subAccountId);
  if (webhooks.length === 0) return 'nothing-there';
  // Removing goes by the type alone: were there two, it might take the other.
  if (!webhooks.every((webhook) => isSameUrl(webhook.url, url))) return 'not-ours';
  await remove(api, subAccountId);
  return 'removed';
}

/** Removes the VSS webhook, and makes sure that it is gone. */
async function remove(api: WebhooksApi, subAccountId: string): Promise<void> {
  await api.remove(subAccountId);
  const left = await api.list(subAccountId);
  if (left.length === 0) return;
  throw new Error(
    `Sub-account ${subAccountId}: 8x8 should have removed the VSS webhook, but still shows ${listed(left)}. ` +
      `Remove it at ${PORTAL}.`,
  );
}
