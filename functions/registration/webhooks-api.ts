import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { type Answer, type Method, WebhooksApiError } from './webhooks-api-error.ts';

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
  /** Removes the VSS webhook; false if 8x8 says that there is none. */
  remove(subAccountId: string): Promise<boolean>;
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

const ATTEMPTS = 3;
/** One attempt, to the end of its answer. */
const ATTEMPT_MS = 10_000;
/** A call with all its attempts and the pauses between them. */
const CALL_MS = 55_000;
/** So long after it was made, a client tries nothing again: the function that has it must not time out. */
const CONNECTION_MS = 8 * 60_000;
/** The longest first pause; each further one may be twice as long. */
const PAUSE_MS = 1_000;

/** A client of the Webhooks API. Rejects with a WebhooksApiError when 8x8 does not do what it is asked for. */
export function webhooksApi({
  baseUrl,
  apiKey,
  fetch = globalThis.fetch,
  pause = setTimeout,
}: Settings): WebhooksApi {
  const connected = performance.now();

  async function call({ method, subAccountId, path = '', body }: Call): Promise<unknown> {
    const url = `${baseUrl}/api/v1/subaccounts/${encodeURIComponent(subAccountId)}/webhooks${path}`;
    const started = performance.now();
    let mayHaveArrived = false;
    for (let attempt = 1; ; attempt++) {
      const answer = await request(url, method, body);
      if (answer.status !== undefined && answer.status >= 200 && answer.status < 300) return answer.body;
      mayHaveArrived ||= answer.status === undefined || answer.status >= 500;
      const pauseMs = answer.retryAfterMs ?? Math.random() * PAUSE_MS * attempt;
      const ends = performance.now() + pauseMs + ATTEMPT_MS;
      const isLate = ends - started > CALL_MS || ends - connected > CONNECTION_MS;
      if (attempt === ATTEMPTS || isLate || !isTransient(answer)) {
        const secrets = [apiKey, ...(body ? [body.httpAuthHeader] : [])];
        throw new WebhooksApiError({ method, subAccountId, baseUrl, answer, secrets, mayHaveArrived });
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
      throw new Error(
        `8x8 answered the list of webhooks of the sub-account ${subAccountId} with something else than that list. Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
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
        return true;
      } catch (error) {
        // There is none, or an earlier attempt has removed it and its answer was lost.
        if (error instanceof WebhooksApiError && error.status === 404) return false;
        throw error;
      }
    },
  };
}

interface Call {
  method: Method;
  subAccountId: string;
  path?: string;
  body?: { httpAuthHeader: string };
}

/** Whether the same request may be answered otherwise a moment later. */
function isTransient({ status = 503 }: Answer): boolean {
  return status === 429 || status >= 500;
}

const Item = v.object({
  type: v.string(),
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
  return `the connection failed: ${error.cause instanceof Error ? error.cause.message : error.message}`;
}
