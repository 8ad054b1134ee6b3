import { randomUUID } from 'node:crypto';
import type { ApiAnswer } from './exchange.ts';
import type { LogExportSwitches } from './log-export-switches.ts';

/** 8x8's code for a status that has only one. */
const CODES: ReadonlyMap<number, number> = new Map([
  [401, 1200],
  [403, 1201],
  [404, 1300],
  [422, 1000],
]);

/** The error body of the log export, in either of the two shapes that 8x8 documents. */
export function logExportFailure(
  shape: LogExportSwitches['errorShape'],
  status: number,
  message: string,
  code: number = CODES.get(status) ?? 2000,
): ApiAnswer {
  const common = { errorId: randomUUID(), timestamp: new Date().toISOString() };
  return {
    status,
    headers: status === 429 ? { 'Retry-After': '2' } : {},
    body:
      shape === 'code'
        ? { code, message, ...common }
        : { statusCode: String(code), statusMessage: message, ...common },
  };
}
