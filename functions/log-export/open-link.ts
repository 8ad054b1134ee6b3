import { allowedLink } from './allowed-link.ts';
import { LogExportError } from './log-export-error.ts';

/** How links are requested. */
export interface LinkSettings {
  /** The base URL of the log export. Only its origin gets the API key. */
  baseUrl: string;
  apiKey: string;
  fetch: typeof globalThis.fetch;
  signal: AbortSignal;
  /** When the link expires, in UTC, if 8x8 said so. */
  expires: string | undefined;
}

const MAX_REDIRECTS = 5;

/**
 * Requests a link, and returns the response that has the file. Follows redirects one by one, so that each target is
 * checked, and the API key is never sent to another origin: object storage refuses a request with it, and no third party should have it.
 *
 * 8x8 does not document whether a download needs the key. So the origin of the API gets it first, and a second request
 * without it, or the other way round, if it refuses the first.
 *
 * @throws LogExportError; other errors come from `fetch`.
 */
export async function openLink(link: string, settings: LinkSettings): Promise<Response> {
  const base = new URL(settings.baseUrl);
  let url = allowedLink(link, base);
  let withKey = url.origin === base.origin;
  let mayTryOtherWay = true;
  for (let redirects = 0; ; ) {
    const response = await get(url, withKey, settings);
    if (response.status === 200) return response;
    await response.body?.cancel();

    const isRefused = response.status === 401 || response.status === 403;
    if (isRefused && url.origin === base.origin && mayTryOtherWay) {
      mayTryOtherWay = false;
      withKey = !withKey;
      continue;
    }
    if (!REDIRECTS.has(response.status)) throw failure(response, url.origin === base.origin, settings);
    if (++redirects > MAX_REDIRECTS) throw tooManyRedirects();
    const target = allowedLink(response.headers.get('Location') ?? '', base, url);
    withKey &&= target.origin === url.origin;
    url = target;
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function get(url: URL, withKey: boolean, { apiKey, fetch, signal }: LinkSettings): Promise<Response> {
  return fetch(url, {
    headers: {
      // A body that fetch decompresses cannot be compared with its Content-Length.
      'Accept-Encoding': 'identity',
      ...(withKey && { Authorization: `Bearer ${apiKey}` }),
    },
    redirect: 'manual',
    signal,
  });
}

function tooManyRedirects(): LogExportError {
  return new LogExportError(
    'link-refused',
    `A download link of 8x8 redirects more than ${MAX_REDIRECTS} times. Ask 8x8 about its download links.`,
  );
}

/** The error for a response without the file, on the origin of the API or on another. */
function failure({ status }: Response, isApi: boolean, { expires }: LinkSettings): LogExportError {
  const hasExpired = expires !== undefined && Date.parse(expires) <= Date.now();
  const isRefused = status === 401 || status === 403;
  const answered = `8x8 did not return a file of the log export: HTTP ${status}`;
  if (status === 404 || status === 410 || (isRefused && (hasExpired || !isApi)))
    return new LogExportError(
      'expired',
      `${answered}. The link has expired, or never worked. The next attempt starts another export.`,
    );
  if (status === 401)
    return new LogExportError(
      'key-refused',
      `${answered}, with and without the API key. Check that the secret that the setting apiKeySecretName names has a valid key.`,
    );
  if (status === 403)
    return new LogExportError(
      'access-refused',
      `${answered}, with and without the API key. Check that the key belongs to the account of the sub-accounts in subAccountIds, and that the account allows API calls from the addresses of this function.`,
    );
  if (status === 429 || status >= 500)
    return new LogExportError('unavailable', `${answered}. Try again later.`);
  return new LogExportError('refused', `${answered}. Expected 200. Ask 8x8 about its download links.`);
}

/** The error for a request that broke. Names only the code: the messages of fetch may quote the link. */
export function connectionFailure(error: unknown, kind: 'unavailable' | 'cut-off'): LogExportError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const shown = typeof code === 'string' && /^[A-Z][A-Z_\d]*$/.test(code) ? ` (${code})` : '';
  const message =
    kind === 'unavailable'
      ? `The connection to download a file of the log export failed${shown}. Try again later; if this persists, check that logExportUrl is correct.`
      : `The download of a file of the log export broke off${shown}. It is downloaded again with the next attempt.`;
  return new LogExportError(kind, message);
}
