import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { rateLimit } from '../rate-limit.ts';
import type { CallFailure, Method } from './call-failure.ts';
import { type Answer, REQUEST_TIMEOUT_MS, request } from './request.ts';

/** What each client of a Voice API of 8x8 needs. */
export interface VoiceApiSettings {
  /** Without a trailing slash. */
  baseUrl: string;
  apiKey: string;
  fetch?: typeof globalThis.fetch;
  /** A monotonic clock, in milliseconds. */
  now?: () => number;
  pause?: (milliseconds: number) => Promise<unknown>;
}

interface Settings extends VoiceApiSettings {
  /** Until when a call is retried, given the time at which it was made; both in milliseconds of `now`. */
  retryUntil: (calledAt: number) => number;
  /** The error of a failed call. */
  errorOf: (failure: CallFailure) => Error;
}

/** A call that concerns one sub-account. */
export interface Call {
  method: Method;
  subAccountId: string;
  /** The path after the sub-account, percent-encoded. */
  path: string;
  body?: Readonly<Record<string, unknown>>;
  /** Values of the body to mask where 8x8 echoes them. The API key is always masked. */
  secrets?: readonly string[];
}

/**
 * Requests per second of one client. 8x8 documents no rate limit. A deployment runs as many clients concurrently as
 * `CONCURRENT_REGISTRATIONS` (infra/constructs/registration.ts); the scheduled functions run one each.
 */
const REQUESTS_PER_SECOND = 4;

/** Maximum number of failed attempts of a request, not counting those that a rate limit rejects. */
const MAX_FAILURES = 3;
/** Maximum jitter of a pause after the first attempt. It doubles with each further attempt. */
const JITTER_MS = 1_000;
const MAX_JITTER_MS = 30_000;

/**
 * Returns a function that calls 8x8, retries transient failures, and resolves with the body of the response. It rejects
 * with the error that `errorOf` makes.
 */
export function retryingCall({
  baseUrl,
  apiKey,
  retryUntil,
  errorOf,
  fetch = globalThis.fetch,
  now = () => performance.now(),
  pause = setTimeout,
}: Settings): (call: Call) => Promise<unknown> {
  const turn = rateLimit(REQUESTS_PER_SECOND, now, pause);

  return async ({ method, subAccountId, path, body, secrets = [] }) => {
    const url = `${baseUrl}/api/v1/subaccounts/${encodeURIComponent(subAccountId)}${path}`;
    const init = {
      method,
      headers: {
        Accept: 'application/json',
        Authorization: `Bearer ${apiKey}`,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    };
    const until = retryUntil(now());
    let mayHaveArrived = false;
    let failures = 0;
    for (let attempt = 1; ; attempt++) {
      await turn();
      const answer = await request(fetch, url, init);
      if (isSuccess(answer)) return answer.body;
      mayHaveArrived ||= mayHaveTakenEffect(answer);
      const pauseMs = pauseAfter(answer, attempt);
      const isLate = now() + pauseMs + REQUEST_TIMEOUT_MS > until;
      if (!isRateLimited(answer)) failures++;
      if (isLate || !isTransient(answer) || failures === MAX_FAILURES)
        throw errorOf({
          method,
          subAccountId,
          baseUrl,
          answer,
          secrets: [apiKey, ...secrets],
          mayHaveArrived,
        });
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
