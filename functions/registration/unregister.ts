import { isSameUrl, maskedUrls, PORTAL_URL } from './finding.ts';
import type { Webhook } from './webhook-list.ts';
import type { WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

/** What became of a webhook that is to be removed. */
export type Removal = 'removed' | 'nothing-there' | 'not-ours';

/** Removes a webhook, but only one with our URL. */
export async function unregister(api: WebhooksApi, subAccountId: string, url: string): Promise<Removal> {
  const webhooks = await api.list(subAccountId);
  if (webhooks.length === 0) return 'nothing-there';
  if (!areOurs(webhooks, url)) return 'not-ours';
  await api.remove(subAccountId);
  await assertRemoved(api, subAccountId, url);
  return 'removed';
}

/** Leaves nothing behind of a creation that failed. Returns what to say if that is not certain. */
export async function undoCreation(
  api: WebhooksApi,
  { subAccountId, url }: { subAccountId: string; url: string },
  error: unknown,
): Promise<string> {
  const mayBeLeft = ` Our webhook may still be registered, or be so in a moment; look at ${PORTAL_URL}, and remove it there.`;
  try {
    if (!areOurs(await api.list(subAccountId), url)) return mayBeLeft;
    const existed = await api.remove(subAccountId);
    await assertRemoved(api, subAccountId, url);
    const isLate = error instanceof WebhooksApiError && error.mayHaveArrived;
    return existed && !isLate ? '' : mayBeLeft;
  } catch {
    return mayBeLeft;
  }
}

/** Removing goes by the type alone: were there two, it might take the other. */
function areOurs(webhooks: readonly Webhook[], url: string): boolean {
  return webhooks.every((webhook) => isSameUrl(webhook.url, url));
}

/** @throws Error when 8x8 still shows a webhook. */
export async function assertRemoved(api: WebhooksApi, subAccountId: string, url: string): Promise<void> {
  const left = await api.listUntil(subAccountId, (webhooks) => webhooks.length === 0);
  if (left.length === 0) return;
  throw new Error(
    `Sub-account ${subAccountId}: 8x8 should have removed the VSS webhook, but still shows ${maskedUrls(left, url)}. ` +
      `Remove it at ${PORTAL_URL}.`,
  );
}
