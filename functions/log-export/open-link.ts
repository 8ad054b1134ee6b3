import * as http from 'node:http';
import * as https from 'node:https';
import { isLoopback } from '../loopback.ts';
import { printable } from '../voice-api/error-body.ts';
import { LogExportError, type LogExportFault } from './log-export-error.ts';

/** A link, and how it is requested. */
interface LinkRequest {
  link: string;
  /** When the link expires, in UTC, if 8x8 said so. */
  expires: string | undefined;
  /** The base URL of the log export. Only its origin gets the API key. */
  baseUrl: string;
  apiKey: string;
  /** How long the connection may be idle. */
  stallMs: number;
}

const MAX_REDIRECTS = 5;

/**
 * Requests a link, and returns the response that has the file. Follows redirects one by one, so that each target is
 * checked, and the API key is never sent to another origin: object storage refuses a request with it, and no third party
 * should have it.
 *
 * 8x8 does not document whether a download needs the key. So the origin of the API gets it, and a second request without
 * it if it refuses the first.
 *
 * @throws LogExportError
 */
export async function openLink(request: LinkRequest): Promise<http.IncomingMessage> {
  const base = new URL(request.baseUrl);
  let url = allowedLink(request.link, base);
  let withKey = url.origin === base.origin;
  for (let redirects = 0; ; ) {
    const response = await get(url, withKey, request);
    const { statusCode: status = 0, headers } = response;
    if (status === 200) return response;
    const code = await errorCodeOf(response);

    const isApi = url.origin === base.origin;
    // Object storage behind the API's own host answers 400 to a second authentication besides that in the link.
    if (withKey && (status === 400 || status === 401 || status === 403)) {
      withKey = false;
      continue;
    }
    if (!REDIRECTS.has(status)) throw failure(status, code, isApi, request);
    if (++redirects > MAX_REDIRECTS)
      throw linkRefused(`a link that redirects more than ${MAX_REDIRECTS} times`);
    const target = allowedLink(headers.location ?? '', base, url);
    withKey &&= target.origin === url.origin;
    url = target;
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Not with fetch: it decompresses a body with a Content-Encoding, accepts one whose gzip trailer is missing, and hides
 * its length.
 *
 * @see https://github.com/nodejs/undici/issues/2126
 */
function get(url: URL, withKey: boolean, { apiKey, stallMs }: LinkRequest): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const headers = {
    'Accept-Encoding': 'identity',
    // Lambda may freeze the process before the next request, which would find the connection closed.
    Connection: 'close',
    ...(withKey && { Authorization: `Bearer ${apiKey}` }),
  };
  const { request } = url.protocol === 'https:' ? https : http;
  const sent = request(url, { headers, timeout: stallMs });
  let receiving: http.IncomingMessage | undefined;
  sent.on('response', (response) => {
    receiving = response;
    resolve(response);
  });
  sent.on('timeout', () => (receiving ?? sent).destroy(stalled(stallMs)));
  sent.on('error', (error) =>
    reject(error instanceof LogExportError ? error : connectionFailure(error, 'unavailable')),
  );
  sent.end();
  return promise;
}

function stalled(stallMs: number): LogExportError {
  return new LogExportError(
    'stalled',
    `8x8 sent no data of a file of the log export for ${stallMs / 1_000} seconds. It is downloaded again with the next attempt.`,
  );
}

/** Longer than the error of object storage. */
const MAX_ERROR_BYTES = 10_000;

/** The code in an error of object storage, which is XML. */
async function errorCodeOf(response: http.IncomingMessage): Promise<string | undefined> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('latin1')) {
      text += chunk;
      if (text.length > MAX_ERROR_BYTES) break;
    }
  } catch {
    // The status alone then says what happened.
  }
  response.destroy();
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1];
}

/** 8x8's own domains, and that of the object storage to which 8x8 may redirect. */
const DOMAINS = ['wavecell.com', '8x8.com', 'amazonaws.com'];

/**
 * Parses a link, and asserts that it may be requested: HTTPS, and a host of 8x8, of its object storage or of the base
 * URL. A base URL on this machine, as in the local stack, allows all of this machine, and there also HTTP.
 *
 * @throws LogExportError, which shows only the host of the link.
 */
function allowedLink(link: string, base: URL, current?: URL): URL {
  if (!URL.canParse(link, current?.href)) throw linkRefused('a link that is not a URL');
  const url = new URL(link, current?.href);
  const isLocal = isLoopback(base.hostname) && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !(isLocal && base.protocol === 'http:' && url.protocol === 'http:'))
    throw linkRefused(`a link that does not use HTTPS, but ${printable(url.protocol, []).slice(0, 20)}`);
  if (url.username !== '' || url.password !== '') throw linkRefused('a link with a user name');
  if (
    isLocal ||
    url.hostname === base.hostname ||
    DOMAINS.some((domain) => `.${url.hostname}`.endsWith(`.${domain}`))
  )
    return url;
  const expected = [...DOMAINS, base.hostname].join(', ');
  throw linkRefused(
    `a link to the host ${printable(url.hostname, []).slice(0, 100)}, which is none of ${expected}`,
  );
}

function linkRefused(what: string): LogExportError {
  return new LogExportError(
    'link-refused',
    `8x8 returned ${what}. It was not followed. Check that logExportUrl is the address of 8x8's log export; if it is, ask 8x8 about its download links.`,
  );
}

/** The error for a response without the file, on the origin of the API or on another. */
function failure(
  status: number,
  code: string | undefined,
  isApi: boolean,
  { expires }: LinkRequest,
): LogExportError {
  const answered = `8x8 did not return a file of the log export: HTTP ${status}`;
  const hasExpired = code === 'ExpiredToken' || (expires !== undefined && Date.parse(expires) <= Date.now());
  const isRefused = status === 401 || status === 403;
  if (GONE.has(status) || ((isRefused || status === 400) && hasExpired) || (isRefused && !isApi))
    return new LogExportError(
      'expired',
      `${answered}. The link has expired, or never worked. The next attempt starts another export.`,
    );
  const isTransient = status === 429 || status >= 500;
  const [kind, advice] = REFUSALS[status] ?? (isTransient ? UNAVAILABLE : REFUSED);
  return new LogExportError(kind, `${answered}${advice}`);
}

const GONE: ReadonlySet<number> = new Set([404, 410]);
const UNAVAILABLE = ['unavailable', '. Try again later.'] as const;
const REFUSED = ['refused', '. Expected 200. Ask 8x8 about its download links.'] as const;
const REFUSALS: Readonly<Record<number, readonly [LogExportFault, string]>> = {
  401: [
    'key-refused',
    ', with and without the API key. Check that the secret that the setting apiKeySecretName names has a valid key.',
  ],
  403: [
    'access-refused',
    ', with and without the API key. Check that the key belongs to the account of the sub-accounts in subAccountIds, and that the account allows API calls from the addresses of this function.',
  ],
};

/** The error for a request that broke. Names only the code: the message may quote the link. */
export function connectionFailure(error: unknown, kind: 'unavailable' | 'cut-off'): LogExportError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const shown = typeof code === 'string' && /^[A-Z][A-Z_\d]*$/.test(code) ? ` (${code})` : '';
  const message =
    kind === 'unavailable'
      ? `The connection to download a file of the log export failed${shown}. Try again later; if this persists, check that logExportUrl is correct.`
      : `The download of a file of the log export broke off${shown}. It is downloaded again with the next attempt.`;
  return new LogExportError(kind, message);
}
