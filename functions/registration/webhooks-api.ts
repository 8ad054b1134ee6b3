import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { rateLimit } from '../rate-limit.ts';
import { type Answer, REQUEST_TIMEOUT_MS, request } from './request.ts';
import { readWebhookList, type Webhook } from './webhook-list.ts';
import { type Method, WebhooksApiError } from './webhooks-api-error.ts';

/**
 * The part of 8x8's Webhooks API for webhooks of the type VSS, of which a sub-account has at most one.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export interface WebhooksApi {
  /** Lists the VSS webhooks of a sub-account: none or one, but 8x8 does not rule out more. */
  list(subAccountId: string): Promise<Webhook[]>;
  /** Polls the list, at most four times, until it is as expected. Returns the last list in either case. */
  listUntil(subAccountId: string, isExpected: (webhooks: Webhook[]) => boolean): Promise<Webhook[]>;
  /** Creates a webhook. 8x8 does not document what happens to an existing one. */
  create(subAccountId: string, webhook: { url: string; authorization: string }): Promise<void>;
  /** Removes the VSS webhook. Returns false if 8x8 answers that there is none. */
  remove(subAccountId: string): Promise<boolean>;
}

interface Settings {
  /** Without a trailing slash. */
  baseUrl: string;
  apiKey: string;
  /** How long a client retries, in milliseconds since its creation. Default: `RETRY_MS`. */
  retryMs?: number;
  fetch?: typeof globalThis.fetch;
  /** A monotonic clock, in milliseconds. */
  now?: () => number;
  pause?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Requests per second of one client. 8x8 documents no rate limit. A deployment runs as many clients concurrently as
 * `CONCURRENT_REGISTRATIONS` (infra/constructs/registration.ts); the scheduled check runs one.
 */
const REQUESTS_PER_SECOND = 4;

/**
 * How long a client retries. The rest of the function's 13 minutes is reserved for the calls after a failure, each of
 * which is made once and times out after ten seconds.
 */
export const RETRY_MS = 6 * 60_000;

/** Maximum number of failed attempts of a request, not counting those that a rate limit rejects. */
const MAX_FAILURES = 3;
/** Maximum jitter of a pause after the first attempt. It doubles with each further attempt. */
const JITTER_MS = 1_000;
const MAX_JITTER_MS = 30_000;

/** Maximum number of polls, and the delay between them, until 8x8 lists the change. */
const MAX_POLLS = 4;
const POLL_DELAY_MS = 2_000;

/** Creates a client of the Webhooks API. Its methods reject with a WebhooksApiError if a request fails. */
export function webhooksApi({
  baseUrl,
  apiKey,
  retryMs = RETRY_MS,
  fetch = globalThis.fetch,
  now = () => performance.now(),
  pause = setTimeout,
}: Settings): WebhooksApi {
  const call = retryingCall({ baseUrl, apiKey, retryMs, fetch, now, pause });

  async function list(subAccountId: string): Promise<Webhook[]> {
    const webhooks = readWebhookList(await call({ method: 'GET', subAccountId }));
    if (webhooks) return webhooks;
    throw new Error(
      `8x8 did not return a valid list of the webhooks of sub-account ${subAccountId}: it is not a webhook list, or a VSS webhook in it is malformed. Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
    );
  }

  return {
    list,
    async listUntil(subAccountId, isExpected) {
      for (let polls = 1; ; polls++) {
        const webhooks = await list(subAccountId);
        if (isExpected(webhooks) || polls === MAX_POLLS) return webhooks;
        await pause(POLL_DELAY_MS);
      }
    },
    async create(subAccountId, { url, authorization }) {
      // The API reference documents `enabled`, the guides `active`; both default to true.
      const body = { type: 'VSS', url, httpAuthHeader: authorization, enabled: true };
      await call({ method: 'POST', subAccountId, body });
    },
    async remove(subAccountId) {
      try {
        await call({ method: 'DELETE', subAccountId, path: '/VSS' });
        return true;
      } catch (error) {
        // There is none, or an earlier attempt removed it and its response was lost.
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

/** Sends requests, and retries transient failures until the client's retry time has passed. */
function retryingCall({ baseUrl, apiKey, retryMs, fetch, now, pause }: Required<Settings>) {
  const retryUntil = now() + retryMs;
  const turn = rateLimit(REQUESTS_PER_SECOND, now, pause);

  return async ({ method, subAccountId, path = '', body }: Call): Promise<unknown> => {
    const url = `${baseUrl}/api/v1/subaccounts/${encodeURIComponent(subAccountId)}/webhooks${path}`;
    const init = {
      method,
      headers: {
        Accept: 'application/json',
        Authorization: `Bearer ${apiKey}`,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    };
    let mayHaveArrived = false;
    let failures = 0;
    for (let attempt = 1; ; attempt++) {
      await turn();
      const answer = await request(fetch, url, init);
      if (isSuccess(answer)) return answer.body;
      mayHaveArrived ||= mayHaveTakenEffect(answer);
      const pauseMs = pauseAfter(answer, attempt);
      const isLate = now() + pauseMs + REQUEST_TIMEOUT_MS > retryUntil;
      if (!isRateLimited(answer)) failures++;
      if (isLate || !isTransient(answer) || failures === MAX_FAILURES) {
        const secrets = [apiKey, ...(body ? [body.httpAuthHeader] : [])];
        throw new WebhooksApiError({ method, subAccountId, baseUrl, answer, secrets, mayHaveArrived });
      }
      await pause(pauseMs);
    }
  };
}

/** The body of a successful response. Some responses have no `statusCode`. */
const Done = v.object({ statusCode: v.nullish(v.picklist([0, '0'])) });

/** Whether the request succeeded. A 200 whose body has a `statusCode` other than 0 is a failure. */
function isSuccess({ status = 0, body }: Answer): boolean {
  return status >= 200 && status < 300 && (v.is(Done, body) || !v.is(v.looseObject({}), body));
}

/** Whether a failed request may have taken effect, or may do so shortly. */
function mayHaveTakenEffect({ status = 503 }: Answer): boolean {
  return status < 300 || status >= 500;
}

/** Whether a retry of the same request may succeed. */
function isTransient({ status = 503 }: Answer): boolean {
  return status === 429 || status >= 500;
}

/** Whether 8x8 rejected the request because of a rate limit. */
function isRateLimited({ status, retryAfterMs }: Answer): boolean {
  return status === 429 || retryAfterMs !== undefined;
}

/** The time in Retry-After plus random jitter, so that the clients of a deployment do not retry simultaneously. */
function pauseAfter({ retryAfterMs = 0 }: Answer, attempt: number): number {
  return retryAfterMs + Math.random() * Math.min(JITTER_MS * 2 ** (attempt - 1), MAX_JITTER_MS);
}
