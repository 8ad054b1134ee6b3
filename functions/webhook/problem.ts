import type { APIGatewayProxyResult } from 'aws-lambda';
import { type Issue, MAX_KEYS } from '../vss/event.ts';

/** The responses other than 200. Their texts are for whoever sent the request. */
const PROBLEMS = {
  'invalid-json': {
    status: 400,
    title: 'The body is not acceptable JSON',
    detail: `It is not JSON in UTF-8, or has more than ${MAX_KEYS} keys. Send one Voice Session Summary as a JSON object.`,
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
    detail: 'A Voice Session Summary is a few kilobytes long. This body was not processed.',
  },
  'unsupported-event': {
    status: 422,
    title: 'This event is not a Voice Session Summary',
    detail: 'This URL only accepts webhooks of type VSS. Register other types with another URL.',
  },
  'invalid-summary': {
    status: 422,
    title: 'This is not a valid Voice Session Summary',
    detail: 'The issues list what was expected. The body was kept for the operators of this service.',
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
    // SQS may have stored it, and only its acknowledgement was lost.
    detail: 'It may not have been kept. Send it again later: it will not be recorded twice.',
  },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

/** How long to wait before sending a delivery again that could not be stored. */
const RETRY_AFTER_SECONDS = 30;

/** What a problem document says of this request only. */
export interface Specific {
  issues?: readonly Issue[];
  /** Default: the same for every request with this problem. */
  detail?: string;
}

/** A response with a problem document (RFC 9457). It contains nothing that was delivered. */
export function problem(
  name: ProblemName,
  requestId: string,
  specific: Specific = {},
): APIGatewayProxyResult {
  const { status, title } = PROBLEMS[name];
  const { issues, detail = PROBLEMS[name].detail } = specific;
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

/** The response 200: the summary is in the queue. */
export function accepted(sessionId: string): APIGatewayProxyResult {
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ status: 'accepted', sessionId }),
  };
}
