import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';

/**
 * 8x8's Webhooks API, as far as it is about webhooks of the type VSS: a sub-account has at most one.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export interface WebhooksApi {
  /** The VSS webhooks of a sub-account: none, or one; 8x8 does not say that there cannot be more. */
  list(subAccountId: string): Promise<Webhook[]>;
  /** Asks for a webhook. What becomes of one that exists is not documented. */
  create(subAccountId: string, webhook: { url: string; authorization: string }): Promise<void>;
  /** Removes the VSS webhook, if there is one. */
  remove(subAccountId: string): Promise<void>;
}

/** A webhook as 8x8 shows it. The value of its Authorization header is never shown. */
export interface Webhook {
  url: string;
  enabled: boolean;
  hasAuthorization: boolean;
}

interface Settings {
  /** Without a slash at its end. */
  baseUrl: string;
  apiKey: string;
  fetch?: typeof fetch;
  /** Waits before another attempt. */
  pause?: (milliseconds: number) => Promise<unknown>;
}

/** A call to 8x8 that failed, in words for whoever deploys. Has neither the API key nor an Authorization value. */
export class WebhooksApiError extends Error {
  override name = 'WebhooksApiError';
  /** The HTTP status; none where no answer came. */
  readonly status: number | undefined;

  constructor(message: string, status: number | undefined) {
    super(message);
    this.status = status;
  }
}

const ATTEMPTS = 3;
/** One attempt, to the end of its answer. */
const ATTEMPT_MS = 10_000;
/** A call with all its attempts and the pauses between them. */
const CALL_MS = 55_000;
/** The longest first pause; each further one may be twice as long. */
const PAUSE_MS = 1_000;

/** A client of the Webhooks API. Rejects with a WebhooksApiError. */
export function webhooksApi({
  baseUrl,
  apiKey,
  fetch = globalThis.fetch,
  pause = setTimeout,
}: Settings): WebhooksApi {
  async function call({ method, subAccountId, path = '', body }: Call): Promise<unknown> {
    const url = `${baseUrl}/api/v1/subaccounts/${encodeURIComponent(subAccountId)}/webhooks${path}`;
    const started = performance.now();
    for (let attempt = 1; ; attempt++) {
      const answer = await request(url, method, body);
      if (answer.status === 200) return answer.body;
      const pauseMs = answer.retryAfterMs ?? Math.random() * PAUSE_MS * attempt;
      const isLate = performance.now() - started + pauseMs + ATTEMPT_MS > CALL_MS;
      if (attempt === ATTEMPTS || isLate || !isTransient(answer)) {
        const secrets = [apiKey, ...(body ? [body.httpAuthHeader] : [])];
        throw new WebhooksApiError(
          explain({ method, subAccountId, baseUrl, answer, secrets }),
          answer.status,
        );
      }
      await pause(pauseMs);
    }
  }

  async function request(url: string, method: Method, body: object | undefined): Promise<Answer> {
    try {
      const response = await fetch(url, {
        method,
        headers: {
          Accept: 'application/json',
          Authorization: `Bearer ${apiKey}`,
          ...(body && { 'Content-Type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        // Followed, a POST would become a GET.
        redirect: 'manual',
        signal: AbortSignal.timeout(ATTEMPT_MS),
      });
      return {
        status: response.status,
        retryAfterMs: readRetryAfter(response.headers.get('Retry-After')),
        body: readJson(await response.text()),
      };
    } catch (error) {
      return { status: undefined, fault: describeFault(error) };
    }
  }

  return {
    async list(subAccountId) {
      const answer = v.safeParse(List, await call({ method: 'GET', subAccountId }));
      if (answer.success) return answer.output;
      throw new WebhooksApiError(
        `8x8 answered the list of webhooks of the sub-account ${subAccountId} with something else. Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
        200,
      );
    },
    async create(subAccountId, { url, authorization }) {
      // `enabled` is what the API description says, `active` what the guides say; both default to true.
      const body = { type: 'VSS', url, httpAuthHeader: authorization, enabled: true };
      await call({ method: 'POST', subAccountId, body });
    },
    async remove(subAccountId) {
      try {
        await call({ method: 'DELETE', subAccountId, path: '/VSS' });
      } catch (error) {
        // There is none, or an earlier attempt has removed it and its answer was lost.
        if (!(error instanceof WebhooksApiError) || error.status !== 404) throw error;
      }
    },
  };
}

type Method = 'GET' | 'POST' | 'DELETE';

interface Call {
  method: Method;
  subAccountId: string;
  path?: string;
  body?: { httpAuthHeader: string };
}

/** An answer, or why there is none. */
type Answer =
  | { status: number; retryAfterMs: number | undefined; body: unknown }
  | { status: undefined; retryAfterMs?: undefined; fault: string };

/** Whether the same request may be answered otherwise a moment later. */
function isTransient({ status = 503 }: Answer): boolean {
  return status === 429 || status >= 500;
}

const Item = v.object({
  type: v.optional(v.string(), ''),
  url: v.nullish(v.string(), ''),
  enabled: v.nullish(v.boolean()),
  active: v.nullish(v.boolean()),
  httpAuthHeaderAvailable: v.nullish(v.boolean(), false),
});

/** The documented answer; one for a sub-account without webhooks is not documented, so the list may be missing there. */
const List = v.pipe(
  v.union([
    v.object({ webhooks: v.array(Item) }),
    v.pipe(
      v.object({ count: v.picklist([0, '0']), webhooks: v.nullish(v.never()) }),
      v.transform(() => ({ webhooks: [] })),
    ),
  ]),
  v.transform(({ webhooks }) =>
    webhooks
      .filter(({ type }) => type.toUpperCase() === 'VSS')
      .map(({ url, enabled, active, httpAuthHeaderAvailable }) => ({
        url,
        enabled: enabled ?? active ?? true,
        hasAuthorization: httpAuthHeaderAvailable,
      })),
  ),
);

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The header Retry-After, in seconds or as a date. */
function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const milliseconds = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ATTEMPT_MS / 1_000} seconds`;
  // fetch says only that it failed; its cause says why.
  return error.cause instanceof Error ? error.cause.message : error.message;
}

const DONE = { GET: 'list the webhooks', POST: 'create the VSS webhook', DELETE: 'remove the VSS webhook' };

interface Failure {
  method: Method;
  subAccountId: string;
  baseUrl: string;
  answer: Answer;
  /** What must not be repeated, should 8x8 do so. */
  secrets: readonly string[];
}

function explain({ method, subAccountId, baseUrl, answer, secrets }: Failure): string {
  const said =
    answer.status === undefined ? answer.fault : `HTTP ${answer.status}${quote(answer.body, secrets)}`;
  const advice = ADVICE.find(({ isAbout }) => isAbout(answer.status));
  return `8x8 did not ${DONE[method]} of the sub-account ${subAccountId}: ${said}. ${advice?.text(subAccountId, baseUrl)}`;
}

/** What to check, by the HTTP status; the first that is about it. */
const ADVICE: readonly {
  isAbout(status: number | undefined): boolean;
  text(subAccountId: string, baseUrl: string): string;
}[] = [
  {
    isAbout: (status) => status === undefined,
    text: (_, baseUrl) => `Check that webhooksApiUrl, ${baseUrl}, is right, and that 8x8 is up.`,
  },
  {
    isAbout: (status) => status === 401,
    text: () =>
      '8x8 does not accept the API key. Put a valid one, from https://connect.8x8.com, into the secret that the setting apiKeySecretName names.',
  },
  {
    isAbout: (status) => status === 403,
    text: (subAccountId) =>
      `The API key has no access to this sub-account. Check that the key belongs to the account of ${subAccountId}, and that the account admits API calls from any address or from those of this function.`,
  },
  {
    isAbout: (status) => status === 404,
    text: (subAccountId) =>
      `8x8 knows no such sub-account. Check how ${subAccountId} is spelt in subAccountIds, upper and lower case too, and that it is a sub-account for Voice.`,
  },
  {
    isAbout: (status) => status === 429,
    text: () => 'There were too many requests. Wait a few minutes.',
  },
  {
    isAbout: (status) => status !== undefined && status >= 500,
    text: () => 'This is a fault at 8x8. Try again later; if it lasts, tell 8x8 the time and the errorId.',
  },
  {
    isAbout: (status) => status !== undefined && status < 400,
    text: (_, baseUrl) => `Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
  },
  {
    isAbout: () => true,
    text: () => '8x8 does not accept the request. Ask 8x8 what it expects, with this message.',
  },
];

/** 8x8's own words about a failure. Its pages show several shapes. */
const Said = v.object({
  statusMessage: v.optional(v.string()),
  message: v.optional(v.string()),
  statusCode: v.optional(v.union([v.string(), v.number()])),
  code: v.optional(v.union([v.string(), v.number()])),
  errorId: v.optional(v.string()),
});

function quote(body: unknown, secrets: readonly string[]): string {
  const said = v.safeParse(Said, body);
  if (!said.success) return '';
  const { statusMessage, message = statusMessage, statusCode, code = statusCode, errorId } = said.output;
  const parts = [
    ...(message === undefined ? [] : [`"${message}"`]),
    ...(code === undefined ? [] : [`code ${code}`]),
    ...(errorId === undefined ? [] : [`errorId ${errorId}`]),
  ];
  return parts.map((part) => `, ${shortened(secrets.reduce(withoutSecret, part))}`).join('');
}

const withoutSecret = (text: string, secret: string) => text.replaceAll(secret, '***');

/** CloudFormation takes an answer of 4 KB in all. */
const shortened = (text: string) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
