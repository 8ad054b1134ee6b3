import type { Webhook } from './webhooks-api.ts';

/** What is wrong with the registration of a webhook. */
export type Finding = 'gone' | 'several' | 'elsewhere' | 'disabled' | 'no-authorization';

/** Compares what 8x8 shows with what it should: one webhook with this URL, enabled, with an Authorization header. */
export function findingOf(webhooks: readonly Webhook[], url: string): Finding | undefined {
  const [webhook, another] = webhooks;
  if (!webhook) return 'gone';
  if (another) return 'several';
  if (!isSameUrl(webhook.url, url)) return 'elsewhere';
  if (!webhook.enabled) return 'disabled';
  return webhook.hasAuthorization ? undefined : 'no-authorization';
}

/** A finding in words: what 8x8 shows, and what was expected. */
export function describeFinding(finding: Finding, webhooks: readonly Webhook[], url: string): string {
  const descriptions: Record<Finding, string> = {
    gone: `8x8 shows no VSS webhook; expected ${shown(url)}`,
    several: `8x8 shows ${webhooks.length} VSS webhooks, ${listed(webhooks)}; expected only ${shown(url)}`,
    elsewhere: `8x8 delivers to ${listed(webhooks)}; expected ${shown(url)}`,
    disabled: `8x8 shows the webhook ${shown(url)} disabled; expected enabled`,
    'no-authorization': `8x8 shows the webhook ${shown(url)} without an Authorization header; expected with one`,
  };
  return descriptions[finding];
}

/** Whether two texts are the same URL, however host, port and escapes are written. */
export function isSameUrl(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href);
}

/** The URLs of webhooks for people to read, the first three. */
export function listed(webhooks: readonly Webhook[]): string {
  const urls = webhooks.slice(0, 3).map(({ url }) => shown(url));
  return [...urls, ...(webhooks.length > 3 ? ['...'] : [])].join(', ');
}

/** A URL for people to read: without user name, password and query, which may hold a secret. */
export function shown(url: string): string {
  if (!URL.canParse(url)) return JSON.stringify(url.replace(/[^\x20-\x7e]/g, '?').slice(0, 200));
  const { protocol, host, pathname, search } = new URL(url);
  return `${protocol}//${host}${pathname}`.slice(0, 300) + (search === '' ? '' : '?...');
}
