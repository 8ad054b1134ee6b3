import { printable } from '../voice-api/error-body.ts';
import { LogExportError } from './log-export-error.ts';

/** 8x8's own domains, and that of the object storage to which 8x8 may redirect. */
const DOMAINS = ['wavecell.com', '8x8.com', 'amazonaws.com'];

/**
 * Parses a link, and asserts that it may be requested: HTTPS, and a host of 8x8, of its object storage or of the base
 * URL. A base URL on this machine, as in the local stack, allows all of this machine, and there also HTTP.
 *
 * @throws LogExportError, which shows only the host of the link.
 */
export function allowedLink(link: string, base: URL, current?: URL): URL {
  if (!URL.canParse(link, current?.href)) throw refusal('a link that is not a URL');
  const url = new URL(link, current?.href);
  const isLocal = isLoopback(base.hostname) && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !(isLocal && base.protocol === 'http:' && url.protocol === 'http:'))
    throw refusal(`a link that does not use HTTPS, but ${printable(url.protocol, []).slice(0, 20)}`);
  if (url.username !== '' || url.password !== '') throw refusal('a link with a user name');
  if (isLocal || url.hostname === base.hostname || DOMAINS.some((domain) => isWithin(url.hostname, domain)))
    return url;
  const expected = [...DOMAINS, base.hostname].join(', ');
  throw refusal(
    `a link to the host ${printable(url.hostname, []).slice(0, 100)}, which is none of ${expected}`,
  );
}

function refusal(what: string): LogExportError {
  return new LogExportError(
    'link-refused',
    `8x8 returned ${what}. Nothing was requested there. Check that logExportUrl is the address of 8x8's log export; if it is, ask 8x8 about its download links.`,
  );
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host);
}
