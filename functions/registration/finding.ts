import type { Webhook } from './webhook-list.ts';

/** The page where people view and change the webhooks of their account. */
export const PORTAL_URL = 'https://connect.8x8.com/webhooks';

/** What is wrong with the registration of a webhook. */
export type Finding = 'gone' | 'several' | 'elsewhere' | 'disabled' | 'no-authorization';

/** Compares what 8x8 shows with what is expected: one webhook with this URL, enabled, with an Authorization header. */
export function findingOf(webhooks: readonly Webhook[], url: string): Finding | undefined {
  const [webhook, another] = webhooks;
  if (!webhook) return 'gone';
  if (another) return 'several';
  if (!isSameUrl(webhook.url, url)) return 'elsewhere';
  if (!webhook.enabled) return 'disabled';
  return webhook.hasAuthorization ? undefined : 'no-authorization';
}

/** Describes a finding: what 8x8 shows, and what was expected. */
export function describeFinding(finding: Finding, webhooks: readonly Webhook[], url: string): string {
  const descriptions: Record<Finding, string> = {
    gone: `8x8 shows no VSS webhook; expected ${maskedUrl(url, url)}`,
    several: `8x8 shows ${webhooks.length} VSS webhooks, ${maskedUrls(webhooks, url)}; expected only ${maskedUrl(url, url)}`,
    elsewhere: `8x8 delivers to ${maskedUrls(webhooks, url)}; expected ${maskedUrl(url, url)}`,
    disabled: `8x8 shows the webhook ${maskedUrl(url, url)} disabled; expected enabled`,
    'no-authorization': `8x8 shows the webhook ${maskedUrl(url, url)} without an Authorization header; expected with one`,
  };
  return descriptions[finding];
}

/** Whether two strings are the same URL after normalisation of host, port and escapes. */
export function isSameUrl(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href);
}

/** The masked URLs of at most three webhooks, for messages. */
export function maskedUrls(webhooks: readonly Webhook[], ours: string): string {
  const urls = webhooks.slice(0, 3).map(({ url }) => maskedUrl(url, ours));
  return [...urls, ...(webhooks.length > 3 ? ['...'] : [])].join(', ');
}

/**
 * A URL for messages, without what may be secret: user name, password and query, and every path segment that does not
 * occur in our own URL.
 */
export function maskedUrl(url: string, ours: string): string {
  if (!URL.canParse(url)) return url === '' ? 'no URL' : 'an invalid URL';
  const { protocol, host, pathname, search } = new URL(url);
  const known = new Set(URL.canParse(ours) ? new URL(ours).pathname.split('/') : []);
  const path = pathname
    .split('/')
    .map((segment) => (known.has(segment) ? segment : '***'))
    .join('/');
  return `${protocol}//${host}${path}`.slice(0, 300) + (search === '' ? '' : '?...');
}
