import { type ErrorBody, printable, readErrorBody } from './error-body.ts';
import type { Answer } from './request.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

/** A call that failed. */
export interface CallFailure {
  method: Method;
  subAccountId: string;
  baseUrl: string;
  answer: Answer;
  /** Values to mask where 8x8 echoes them. */
  secrets: readonly string[];
  /** Whether at least one attempt may have taken effect. */
  mayHaveArrived: boolean;
}

/** What the message about a failed call says about it. */
interface Wording {
  /** What the call does, after "8x8 did not" and before "of sub-account". */
  action: string;
  /** The name of the setting that has the base URL. */
  urlSetting: string;
}

/** Describes a failed call for whoever deploys, with what to check. Contains no secret. */
export function describeFailure(failure: CallFailure, { action, urlSetting }: Wording): string {
  const { subAccountId } = failure;
  return `8x8 did not ${action} of sub-account ${subAccountId}: ${describeAnswer(failure)}. ${adviceOn(failure, urlSetting)}`;
}

/** What 8x8 answered, or why there is no answer. */
export function describeAnswer({ answer, secrets }: Pick<CallFailure, 'answer' | 'secrets'>): string {
  if (answer.status === undefined) return answer.fault;
  return `HTTP ${answer.status}${quote(readErrorBody(answer.body), secrets)}`;
}

function quote({ message, code, errorId }: ErrorBody, secrets: readonly string[]): string {
  const parts = [
    ...(message === undefined ? [] : [`"${printable(message, secrets)}"`]),
    ...(code === undefined ? [] : [`code ${printable(code, secrets)}`]),
    ...(errorId === undefined ? [] : [`errorId ${printable(errorId, secrets)}`]),
  ];
  return parts.map((part) => `, ${part}`).join('');
}

/** What to check, by HTTP status or its class. */
const ADVICE: Readonly<Record<string, (failure: CallFailure, urlSetting: string) => string>> = {
  'no answer': ({ baseUrl }, urlSetting) =>
    `Check that ${urlSetting}, ${baseUrl}, is correct, and that 8x8 is up.`,
  '401': () =>
    '8x8 does not accept the API key. Store a valid key from https://connect.8x8.com in the secret that the setting apiKeySecretName names.',
  '403': ({ subAccountId }) =>
    `The API key has no access to this sub-account. Check that the key belongs to the account of ${subAccountId}, and that the account allows API calls from any IP address, or from those of this function.`,
  '404': ({ subAccountId, baseUrl }, urlSetting) =>
    `8x8 does not know this sub-account. Check the spelling of ${subAccountId} in subAccountIds, including upper and lower case, that it is a Voice sub-account, and that ${urlSetting}, ${baseUrl}, is correct.`,
  '429': ({ answer: { retryAfterMs } }) =>
    retryAfterMs === undefined
      ? 'Too many requests. Wait a few minutes, then try again.'
      : `Too many requests: 8x8 asks to wait ${Math.ceil(retryAfterMs / 1_000)} seconds.`,
  '2xx': () =>
    'The HTTP status reports success, but the code in the body reports a failure. Ask 8x8 what the code means, and quote this message.',
  '3xx': ({ baseUrl }, urlSetting) =>
    `Check that ${urlSetting}, ${baseUrl}, is the address of 8x8's Voice API.`,
  '4xx': () => '8x8 rejected the request. Ask 8x8 what it expects, and quote this message.',
  '5xx': () =>
    'This is a fault at 8x8. Try again later; if it persists, report the time and the errorId to 8x8.',
};

function adviceOn(failure: CallFailure, urlSetting: string): string {
  const { status } = failure.answer;
  const statusClass = status === undefined ? 'no answer' : `${Math.min(Math.floor(status / 100), 5)}xx`;
  return (ADVICE[`${status}`] ?? ADVICE[statusClass])?.(failure, urlSetting) ?? '';
}
