import { ResponseType } from 'aws-cdk-lib/aws-apigateway';

interface Problem {
  name: string;
  title: string;
  detail: string;
  /** Undefined for the default responses, which API Gateway uses for several statuses. */
  status?: number;
  retryAfterSeconds?: number;
}

const NOT_FOUND: Problem = {
  status: 404,
  name: 'not-found',
  title: 'This path and method do not exist',
  detail: 'The API accepts only POST requests to the URL that is registered at 8x8.',
};

/**
 * The responses that API Gateway generates itself.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
export const GATEWAY_RESPONSES: readonly (readonly [ResponseType, Problem])[] = [
  [
    ResponseType.ACCESS_DENIED,
    {
      status: 403,
      name: 'source-not-allowed',
      title: 'Requests from this IP address are not allowed',
      detail: 'Only the addresses in the setting allowedSourceIps of this stage may call the webhook.',
    },
  ],
  // The responses to an unknown path or method. There, API Gateway parses an Authorization header as an AWS signature;
  // which of these types it then returns is not documented.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, NOT_FOUND],
  [ResponseType.INVALID_SIGNATURE, NOT_FOUND],
  [ResponseType.EXPIRED_TOKEN, NOT_FOUND],
  [
    ResponseType.REQUEST_TOO_LARGE,
    {
      status: 413,
      name: 'payload-too-large',
      title: 'The body is larger than 256 KiB',
      detail: 'A Voice Session Summary is a few kilobytes long. This body was not processed.',
    },
  ],
  [
    ResponseType.THROTTLED,
    {
      status: 429,
      name: 'too-many-requests',
      title: 'Too many requests',
      detail: 'The body was not stored. Send the request again later.',
      retryAfterSeconds: 30,
    },
  ],
  [
    ResponseType.DEFAULT_4XX,
    {
      name: 'refused',
      title: 'The request was rejected',
      detail: 'The body was not stored.',
    },
  ],
  [
    ResponseType.DEFAULT_5XX,
    {
      name: 'unavailable',
      title: 'The summary could not be received',
      detail: 'It may not have been stored. Send it again later; it will not be recorded twice.',
      retryAfterSeconds: 30,
    },
  ],
];

/** A problem document (RFC 9457) in the form of a gateway response. */
export function problemDocument({ name, title, detail, status, retryAfterSeconds }: Problem) {
  return {
    ...(status !== undefined && { statusCode: String(status) }),
    responseHeaders: {
      'Content-Type': "'application/problem+json'",
      ...(retryAfterSeconds !== undefined && { 'Retry-After': `'${retryAfterSeconds}'` }),
    },
    templates: {
      'application/json': JSON.stringify({
        type: `urn:problem:vss-webhook:${name}`,
        title,
        ...(status !== undefined && { status }),
        detail,
        requestId: '$context.requestId',
      }),
    },
  };
}
