import { randomUUID } from 'node:crypto';

/** A request to 8x8. */
export interface ApiRequest {
  method: string;
  /** The URL's origin, with which links in the answer begin. */
  origin: string;
  /** The path, still percent-encoded. */
  path: string;
  authorization: string | undefined;
  body: string;
}

/** The answer of 8x8. */
export interface ApiAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; nothing if it is undefined. */
  body?: unknown;
  /** Sent as it is, instead of a body. */
  content?: AsyncIterable<Uint8Array>;
}

/** The connection is closed without an answer, or in the middle of one. */
export class DroppedConnection extends Error {
  override name = 'DroppedConnection';
}

export function ok(body: object): ApiAnswer {
  return { status: 200, body };
}

/** The error body of the API descriptions, which has its code as a string. */
export function failure(status: number, statusMessage: string, retryAfter?: string): ApiAnswer {
  return {
    status,
    headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter },
    body: { errorId: randomUUID(), statusCode: String(status), statusMessage, timestamp: {} },
  };
}

/** 8x8's code for a status that has only one. */
const CODES: ReadonlyMap<number, number> = new Map([
  [401, 1200],
  [403, 1201],
  [404, 1300],
  [422, 1000],
]);

/** The error body of the log export, as in 8x8's example. */
export function logExportFailure(
  status: number,
  message: string,
  code: number = CODES.get(status) ?? 2000,
): ApiAnswer {
  return {
    status,
    headers: status === 429 ? { 'Retry-After': '2' } : {},
    body: { code, message, errorId: randomUUID(), timestamp: new Date().toISOString() },
  };
}
