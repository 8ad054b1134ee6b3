import { randomUUID } from 'node:crypto';
import type { ApiAnswer } from './exchange.ts';

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
