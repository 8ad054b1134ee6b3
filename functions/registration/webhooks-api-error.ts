import * as v from 'valibot';
import type { Answer } from './request.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

/** A call that failed. */
export interface Failure {
  method: Method;
  subAccountId: string;
  baseUrl: string;
  answer: Answer;
  /** What must not be repeated, should 8x8 do so. */
  secrets: readonly string[];
  /** Whether an attempt had no answer, or one that leaves open whether it had its effect. */
  mayHaveArrived: boolean;
}

/** A call to 8x8 that failed, in words for whoever deploys. Has neither the API key nor an Authorization value. */
export class WebhooksApiError extends Error {
  override name = 'WebhooksApiError';
  /** The HTTP status of the last attempt; none where no answer came. */
  readonly status: number | undefined;
  /** Whether the request may have had its effect, or may have it in a moment, although it failed. */
  readonly mayHaveArrived: boolean;
  /** Whether 8x8 refuses because there is one already. Which status it would do that with is not documented. */
  readonly isConflict: boolean;

  constructor(failure: Failure) {
    const { method, subAccountId, answer, secrets, mayHaveArrived } = failure;
    const { status } = answer;
    const said = status === undefined ? answer.fault : `HTTP ${status}${quote(answer.body, secrets)}`;
    super(`8x8 did not ${DONE[method]} of the sub-account ${subAccountId}: ${said}. ${adviceOn(failure)}`);
    this.status = status;
    this.mayHaveArrived = mayHaveArrived;
    this.isConflict = status === 409 || (!NEVER_CONFLICTS.has(status) && CONFLICT.test(said));
  }
}

/** How 8x8 may say that there is one already; not that something does not exist. */
const CONFLICT = /\b(exists|already|duplicate|conflict)/i;
const NEVER_CONFLICTS: ReadonlySet<number | undefined> = new Set([undefined, 401, 404, 429]);

const DONE = { GET: 'list the webhooks', POST: 'create the VSS webhook', DELETE: 'remove the VSS webhook' };

/** What to check, by the HTTP status, or by its class. */
const ADVICE: Readonly<Record<string, (failure: Failure) => string>> = {
  'no answer': ({ baseUrl }) => `Check that webhooksApiUrl, ${baseUrl}, is right, and that 8x8 is up.`,
  '401': () =>
    '8x8 does not accept the API key. Put a valid one, from https://connect.8x8.com, into the secret that the setting apiKeySecretName names.',
  '403': ({ subAccountId }) =>
    `The API key has no access to this sub-account. Check that the key belongs to the account of ${subAccountId}, and that the account admits API calls from any address or from those of this function.`,
  '404': ({ subAccountId, baseUrl }) =>
    `8x8 knows no such sub-account. Check how ${subAccountId} is spelt in subAccountIds, upper and lower case too, that it is a sub-account for Voice, and that webhooksApiUrl, ${baseUrl}, is right.`,
  '429': ({ answer: { retryAfterMs } }) =>
    retryAfterMs === undefined
      ? 'There were too many requests. Wait a few minutes.'
      : `There were too many requests, and 8x8 asks to wait ${Math.ceil(retryAfterMs / 1_000)} seconds.`,
  '2xx': () =>
    '8x8 answers as if all were well, but its code says that it did not do it. Ask 8x8 what the code means, with this message.',
  '3xx': ({ baseUrl }) => `Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
  '4xx': () => '8x8 does not accept the request. Ask 8x8 what it expects, with this message.',
  '5xx': () => 'This is a fault at 8x8. Try again later; if it lasts, tell 8x8 the time and the errorId.',
};

function adviceOn(failure: Failure): string {
  const { status } = failure.answer;
  const statusClass = status === undefined ? 'no answer' : `${Math.min(Math.floor(status / 100), 5)}xx`;
  return (ADVICE[`${status}`] ?? ADVICE[statusClass])?.(failure) ?? '';
}

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
    ...(message === undefined ? [] : [`"${printable(message, secrets)}"`]),
    ...(code === undefined ? [] : [`code ${printable(String(code), secrets)}`]),
    ...(errorId === undefined ? [] : [`errorId ${printable(errorId, secrets)}`]),
  ];
  return parts.map((part) => `, ${part}`).join('');
}

/** Without secrets and without the paths of URLs, which may be tokens; short, and of characters that JSON need not escape: CloudFormation takes an answer of 4 KB in all. */
function printable(text: string, secrets: readonly string[]): string {
  const withoutSecrets = secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  return withoutSecrets
    .replace(/(https?:\/\/)(?:[^\s/@]*@)?([^\s/?#"']*)[^\s"']*/gi, '$1$2/***')
    .replace(/["\\]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
}
