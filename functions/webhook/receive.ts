import type { APIGatewayProxyEvent } from 'aws-lambda';
import { isAccepted } from '../authorization/digest.ts';
import { type Delivery, textOrBytes } from '../queue/message.ts';
import { type Issue, identify } from '../vss/event.ts';

/** The part of an API Gateway proxy event (REST) that the webhook reads. */
export type Request = Pick<APIGatewayProxyEvent, 'headers' | 'body' | 'isBase64Encoded'> & {
  requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId' | 'requestTimeEpoch'>;
};

/** The Authorization values and sub-accounts that the webhook accepts. */
export interface Expectations {
  /** SHA-256 of each accepted Authorization value, in hexadecimal. */
  authorizationDigests: readonly string[];
  subAccountIds: readonly string[];
}

/** What to do with a request. */
export type Decision =
  /** A summary: goes to the queue. */
  | { outcome: 'accepted'; delivery: Delivery; sessionId: string; subAccountId: string }
  /** From 8x8, but cannot be recorded as it is: goes to the dead-letter queue. */
  | {
      outcome: 'quarantined';
      delivery: Delivery;
      reason: 'invalid-json' | 'invalid-summary' | 'unknown-subaccount';
      issues?: readonly Issue[];
    }
  /** Not kept. */
  | {
      outcome: 'refused';
      reason: 'payload-too-large' | 'unauthorized' | 'unsupported-event' | 'invalid-json';
      detail?: string;
    };

/** 256 KiB: a hundred times the largest published summary. Even in base64 it fits an SQS message of 1 MiB. */
export const MAX_BODY_BYTES = 256 * 1024;

const EMPTY = 'The body is empty, and was not kept. Send one Voice Session Summary as a JSON object.';

/**
 * Decides what to do with a request. The cheapest checks come first: size, authorization, decompressed size, JSON,
 * event type, schema, sub-account.
 */
export function receive(request: Request, { authorizationDigests, subAccountIds }: Expectations): Decision {
  const body = request.isBase64Encoded ? Buffer.from(request.body ?? '', 'base64') : (request.body ?? '');
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) return { outcome: 'refused', reason: 'payload-too-large' };
  if (!isAccepted(authorizationOf(request), authorizationDigests)) {
    return { outcome: 'refused', reason: 'unauthorized' };
  }
  const content = typeof body === 'string' ? body : decompressed(body);
  if (content === undefined) return { outcome: 'refused', reason: 'payload-too-large' };
  // There is nothing to keep, and SQS rejects empty messages.
  if (content.length === 0) return { outcome: 'refused', reason: 'invalid-json', detail: EMPTY };

  const delivery = {
    body: typeof content === 'string' ? content : textOrBytes(content),
    receivedAt: new Date(request.requestContext.requestTimeEpoch).toISOString(),
    requestId: request.requestContext.requestId,
  };
  const read = identify(delivery.body);
  switch (read.outcome) {
    case 'unsupported-event':
      return { outcome: 'refused', reason: 'unsupported-event' };
    case 'invalid-json':
      return { outcome: 'quarantined', delivery, reason: 'invalid-json' };
    case 'invalid-summary':
      return { outcome: 'quarantined', delivery, reason: 'invalid-summary', issues: read.issues };
    case 'summary':
      return subAccountIds.includes(read.subAccountId)
        ? { ...read, outcome: 'accepted', delivery }
        : { outcome: 'quarantined', delivery, reason: 'unknown-subaccount' };
  }
}

/**
 * Decompresses a gzip body, detected by its first two bytes, because Content-Encoding may be missing or wrong. Returns
 * a damaged body unchanged, and undefined if the result would be too large.
 */
function decompressed(body: Buffer): Buffer | undefined {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    // Loaded only here: it takes milliseconds, and 8x8 is not known to compress.
    return process.getBuiltinModule('node:zlib').gunzipSync(body, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    return error instanceof RangeError ? undefined : body;
  }
}

/** Header names are case-insensitive, and API Gateway passes them on as they were sent. */
function authorizationOf({ headers }: Request): string {
  const name = Object.keys(headers ?? {}).find((header) => header.toLowerCase() === 'authorization');
  return (name && headers[name]) ?? '';
}
