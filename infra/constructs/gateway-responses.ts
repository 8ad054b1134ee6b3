import { ResponseType } from 'aws-cdk-lib/aws-apigateway';

interface Problem {
  name: string;
  title: string;
  detail: string;
  /** Where it is one; the others are for whatever else goes wrong. */
  status?: number;
  retryAfterSeconds?: number;
}

const NOT_FOUND: Problem = {
  status: 404,
  name: 'not-found',
  title: 'There is nothing at this path and method',
  detail: 'The only one is POST to the URL that is registered at 8x8.',
};

/** What API Gateway answers itself. @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html */
export const GATEWAY_RESPONSES: readonly (readonly [ResponseType, Problem])[] = [
  [
    ResponseType.ACCESS_DENIED,
    {
      status: 403,
      name: 'source-not-allowed',
      title: 'Requests from this address are not taken',
      detail: 'Only the addresses in allowedSourceIps of this stage may call.',
    },
  ],
  // What API Gateway answers to a path or method that it does not have. It takes an Authorization header for an AWS
  // signature there; which of these types it then answers with is not documented.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, NOT_FOUND],
  [ResponseType.INVALID_SIGNATURE, NOT_FOUND],
  [ResponseType.EXPIRED_TOKEN, NOT_FOUND],
  [
    ResponseType.REQUEST_TOO_LARGE,
    {
      status: 413,
      name: 'payload-too-large',
      title: 'The body is larger than 256 KiB',
      detail: 'A Voice Session Summary has a few kilobytes. This body was not read.',
    },
  ],
  [
    ResponseType.THROTTLED,
    {
      status: 429,
      name: 'too-many-requests',
      title: 'There are too many requests at the moment',
      detail: 'Nothing was kept. Send it again later.',
      retryAfterSeconds: 30,
    },
  ],
  [
    ResponseType.DEFAULT_4XX,
    {
      name: 'refused',
      title: 'The request was refused',
      detail: 'Nothing was kept.',
    },
  ],
  [
    ResponseType.DEFAULT_5XX,
    {
      name: 'unavailable',
      title: 'The summary could not be taken',
      detail: 'It may not have been kept. Send it again later: it will not be recorded twice.',
      retryAfterSeconds: 30,
    },
  ],
];

/** A problem document (RFC 9457) as API Gateway writes it. */
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
