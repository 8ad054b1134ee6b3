import * as v from 'valibot';
import type { Answer } from './request.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

/** A call that failed. */
interface Failure {
  method: Method;
  subAccountId: string;
  baseUrl: string;
  answer: Answer;
  /** Values to mask where 8x8 echoes them. */
  secrets: readonly string[];
  /** Whether at least one attempt may have taken effect. */
  mayHaveArrived: boolean;
}

/** A failed call to 8x8. Its message tells whoever deploys what to check, and contains no secret. */
export class WebhooksApiError extends Error {
  override name = 'WebhooksApiError';
  /** The HTTP status of the last attempt; undefined if there was no response. */
  readonly status: number | undefined;
  /** Whether the request may have taken effect, or may do so shortly, although it failed. */
  readonly mayHaveArrived: boolean;
  /** Whether 8x8 rejected the request because a webhook exists. 8x8 does not document the status for that. */
  readonly isConflict: boolean;

  constructor(failure: Failure) {
    const { method, subAccountId, answer, secrets, mayHaveArrived } = failure;
    const { status } = answer;
    const reason = status === undefined ? answer.fault : `HTTP ${status}${quote(answer.body, secrets)}`;
    super(`8x8 did not ${ACTIONS[method]} of sub-account ${subAccountId}: ${reason}. ${adviceOn(failure)}`);
    this.status = status;
    this.mayHaveArrived = mayHaveArrived;
    this.isConflict = status === 409 || (!NEVER_CONFLICTS.has(status) && CONFLICT.test(reason));
  }
}

/** Matches messages that something exists, but not `does not exist`. */
const CONFLICT = /\b(exists|already|duplicate|conflict)/i;
const NEVER_CONFLICTS: ReadonlySet<number | undefined> = new Set([undefined, 401, 404, 429]);

const ACTIONS = {
  GET: 'list the webhooks',
  POST: 'create the VSS webhook',
  DELETE: 'remove the VSS webhook',
};

/** What to check, by HTTP status or its class. */
const ADVICE: Readonly<Record<string, (failure: Failure) => string>> = {
  'no answer': ({ baseUrl }) => `Check that webhooksApiUrl, ${baseUrl}, is correct, and that 8x8 is up.`,
  '401': () =>
    '8x8 does not accept the API key. Store a valid key from https://connect.8x8.com in the secret that the setting apiKeySecretName names.',
  '403': ({ subAccountId }) =>
    `The API key has no access to this sub-account. Check that the key belongs to the account of ${subAccountId}, and that the account allows API calls from any IP address, or from those of this function.`,
  '404': ({ subAccountId, baseUrl }) =>
    `8x8 does not know this sub-account. Check the spelling of ${subAccountId} in subAccountIds, including upper and lower case, that it is a Voice sub-account, and that webhooksApiUrl, ${baseUrl}, is correct.`,
  '429': ({ answer: { retryAfterMs } }) =>
    retryAfterMs === undefined
      ? 'Too many requests. Wait a few minutes, then try again.'
      : `Too many requests: 8x8 asks to wait ${Math.ceil(retryAfterMs / 1_000)} seconds.`,
  '2xx': () =>
    'The HTTP status reports success, but the code in the body reports a failure. Ask 8x8 what the code means, and quote this message.',
  '3xx': ({ baseUrl }) => `Check that webhooksApiUrl, ${baseUrl}, is the address of 8x8's Voice API.`,
  '4xx': () => '8x8 rejected the request. Ask 8x8 what it expects, and quote this message.',
  '5xx': () =>
    'This is a fault at 8x8. Try again later; if it persists, report the time and the errorId to 8x8.',
};

function adviceOn(failure: Failure): string {
  const { status } = failure.answer;
  const statusClass = status === undefined ? 'no answer' : `${Math.min(Math.floor(status / 100), 5)}xx`;
  return (ADVICE[`${status}`] ?? ADVICE[statusClass])?.(failure) ?? '';
}

/** The error body of 8x8, whose documentation shows several shapes. */
const ErrorBody = v.object({
  statusMessage: v.optional(v.string()),
  message: v.optional(v.string()),
  statusCode: v.optional(v.union([v.string(), v.number()])),
  code: v.optional(v.union([v.string(), v.number()])),
  errorId: v.optional(v.string()),
});

function quote(body: unknown, secrets: readonly string[]): string {
  const parsed = v.safeParse(ErrorBody, body);
  if (!parsed.success) return '';
  const { statusMessage, message = statusMessage, statusCode, code = statusCode, errorId } = parsed.output;
  const parts = [
    ...(message === undefined ? [] : [`"${printable(message, secrets)}"`]),
    ...(code === undefined ? [] : [`code ${printable(String(code), secrets)}`]),
    ...(errorId === undefined ? [] : [`errorId ${printable(errorId, secrets)}`]),
  ];
  return parts.map((part) => `, ${part}`).join('');
}

/**
 * Masks secrets, and the paths of URLs, which may be tokens. Shortens the text, and leaves no character that JSON
 * escapes: CloudFormation limits the whole response to 4 KB.
 */
function printable(text: string, secrets: readonly string[]): string {
  const withoutSecrets = secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  return withoutSecrets
    .replace(/(https?:\/\/)(?:[^\s/@]*@)?([^\s/?#"']*)[^\s"']*/gi, '$1$2/***')
    .replace(/["\\]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
}
