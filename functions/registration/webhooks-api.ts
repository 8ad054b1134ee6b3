import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { rateLimit } from '../rate-limit.ts';
import { type Answer, REQUEST_TIMEOUT_MS, request } from './request.ts';
import { readWebhookList, type Webhook } from './webhook-list.ts';
import { type Method, WebhooksApiError } from './webhooks-api-error.ts';

/**
 * 8x8's Webhooks API, as far as it is about webhooks of the type VSS: a sub-account has at most one.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export interface WebhooksApi {
  /** The VSS webhooks of a sub-account: none, or one; 8x8 does not say that there cannot be more. */
  list(subAccountId: string): Promise<Webhook[]>;
  /** Lists until what 8x8 shows is as expected, at most four times. Returns the last list. */
  listUntil(subAccountId: string, isExpected: (webhooks: Webhook[]) => boolean): Promise<Webhook[]>;
  /** Asks for a webhook. What becomes of one that exists is not documented. */
  create(subAccountId: string, webhook: { url: string; authorization: string }): Promise<void>;
  /** Removes the VSS webhook; false if 8x8 says that there is none. */
  remove(subAccountId: string): Promise<boolean>;
}

interface Settings {
  /** Without a slash at its end. */
  baseUrl: string;
  apiKey: string;
  /** For how long after it was made a client retries, in milliseconds. */
  retryMs?: number;
  fetch?: typeof globalThis.fetch;
  /** Milliseconds of a steady clock. */
  now?: () => number;
  pause?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Requests per second of one client. 8x8 documents no limit; a deployment has as many clients at a time as
 * `REGISTRATIONS_AT_A_TIME` (infra/constructs/registration.ts), and the scheduled check has one.
 */
const REQUESTS_PER_SECOND = 4;

/**
 * How long a client retries. The rest of the function's 13 minutes is for what follows a failure: each further call is
 * made once, and ends after ten seconds.
 */
export const RETRY_MS = 6 * 60_000;

/** How often a request may fail for another reason than a rate limit. */
const MAX_FAILURES = 3;
/** The most that is added at random to a pause: this much after the first attempt, twice as much after each further one. */
const JITTER_MS = 1_000;
const MAX_JITTER_MS = 30_000;

/** Maximum number of polls, and the delay between them, until 8x8 lists what it was told. */
const MAX_POLLS = 4;
const POLL_DELAY_MS = 2_000;

/** A client of the Webhooks API. Rejects with a WebhooksApiError when 8x8 does not do what it is asked for. */
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
      `8x8 answered the list of webhooks of the sub-account ${subAccountId} with something else than that list, or with a VSS webhook that cannot be read. Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
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

/** Sends a request, and retries it while that may help, until the time of the client is over. */
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
      mayHaveArrived ||= mayHaveHadItsEffect(answer);
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

/** What 8x8 says of a request it has done; in some answers nothing. */
const Done = v.object({ statusCode: v.nullish(v.picklist([0, '0'])) });

/** Whether 8x8 did what it was asked for: a 200 whose body has another `statusCode` than 0 is a failure. */
function isSuccess({ status = 0, body }: Answer): boolean {
  return status >= 200 && status < 300 && (v.is(Done, body) || !v.is(v.looseObject({}), body));
}

/** Whether a request that failed may have had its effect, or may have it in a moment. */
function mayHaveHadItsEffect({ status = 503 }: Answer): boolean {
  return status < 300 || status >= 500;
}

/** Whether the same request may be answered otherwise a moment later. */
function isTransient({ status = 503 }: Answer): boolean {
  return status === 429 || status >= 500;
}

/** Whether 8x8 refuses because of how many requests there are: waiting helps, and 8x8 is not at fault. */
function isRateLimited({ status, retryAfterMs }: Answer): boolean {
  return status === 429 || retryAfterMs !== undefined;
}

/** As long as 8x8 says, and longer at random: the clients of a deployment would otherwise come back together. */
function pauseAfter({ retryAfterMs = 0 }: Answer, attempt: number): number {
  return retryAfterMs + Math.random() * Math.min(JITTER_MS * 2 ** (attempt - 1), MAX_JITTER_MS);
}
