import { isSameUrl, maskedUrls, PORTAL_URL } from './finding.ts';
import type { Webhook } from './webhook-list.ts';
import type { WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

/** The outcome of a removal. */
type Removal = 'removed' | 'nothing-there' | 'not-ours';

/** Removes the webhook if it has our URL. */
export async function unregister(api: WebhooksApi, subAccountId: string, url: string): Promise<Removal> {
  const webhooks = await api.list(subAccountId);
  if (webhooks.length === 0) return 'nothing-there';
  if (!areOurs(webhooks, url)) return 'not-ours';
  await api.remove(subAccountId);
  await assertRemoved(api, subAccountId, url);
  return 'removed';
}

/** Removes what a failed creation may have left. Returns advice to add to its message if something may remain. */
export async function undoCreation(
  api: WebhooksApi,
  { subAccountId, url }: { subAccountId: string; url: string },
  error: unknown,
): Promise<string> {
  const mayBeLeft = ` Our webhook may still be registered, or may appear shortly: check ${PORTAL_URL}, and remove it there.`;
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

/** 8x8 removes by type, not by URL: if there are two webhooks, it might remove the foreign one. */
function areOurs(webhooks: readonly Webhook[], url: string): boolean {
  return webhooks.every((webhook) => isSameUrl(webhook.url, url));
}

/** @throws Error if 8x8 still shows a VSS webhook. */
export async function assertRemoved(api: WebhooksApi, subAccountId: string, url: string): Promise<void> {
  const left = await api.listUntil(subAccountId, (webhooks) => webhooks.length === 0);
  if (left.length === 0) return;
  throw new Error(
    `Sub-account ${subAccountId}: 8x8 should have removed the VSS webhook, but still shows ${maskedUrls(left, url)}. ` +
      `Remove it at ${PORTAL_URL}.`,
  );
}
