import type { APIGatewayProxyResult } from 'aws-lambda';
import { type Issue, MAX_KEYS } from '../vss/event.ts';

/** The answers other than 200, with what each tells its reader. */
const PROBLEMS = {
  'invalid-json': {
    status: 400,
    title: 'The body is not JSON, or has too many keys',
    detail: `Send one Voice Session Summary as a JSON object in UTF-8, with at most ${MAX_KEYS} keys.`,
  },
  unauthorized: {
    status: 401,
    title: 'The Authorization header is missing or not accepted',
    detail:
      'Send the value that was registered at 8x8 as httpAuthHeader, alone or after a scheme such as Bearer.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is larger than 256 KiB',
    detail: 'A Voice Session Summary has a few kilobytes. This body was not read.',
  },
  'unsupported-event': {
    status: 422,
    title: 'This is another event than a Voice Session Summary',
    detail: 'This URL takes webhooks of type VSS only; register other types at another URL.',
  },
  'invalid-summary': {
    status: 422,
    title: 'This is not a valid Voice Session Summary',
    detail: 'The issues say which fields were expected. The body was kept for the operators of this service.',
  },
  'unknown-subaccount': {
    status: 422,
    title: 'This sub-account is not configured here',
    detail:
      'Add payload.subAccountId to the subAccountIds of this stage. The body was kept for its operators.',
  },
  'queue-unavailable': {
    status: 503,
    title: 'The summary could not be stored',
    // SQS may have stored it all the same, and its acknowledgement got lost.
    detail: 'It may not have been kept. Send it again later: it will not be recorded twice.',
  },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

/** Seconds after which a delivery that could not be stored should be sent again. */
const RETRY_AFTER_SECONDS = 30;

/** A response with a problem document (RFC 9457). It repeats nothing of what was delivered. */
export function problem(
  name: ProblemName,
  requestId: string,
  issues?: readonly Issue[],
): APIGatewayProxyResult {
  const { status, title, detail } = PROBLEMS[name];
  return {
    statusCode: status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(status === 503 && { 'Retry-After': RETRY_AFTER_SECONDS }),
    },
    body: JSON.stringify({
      type: `urn:problem:vss-webhook:${name}`,
      title,
      status,
      detail,
      requestId,
      issues,
    }),
  };
}

/** 200: the summary is in the queue. */
export function accepted(sessionId: string): APIGatewayProxyResult {
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ status: 'accepted', sessionId }),
  };
}
