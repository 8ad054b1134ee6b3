import type { JsonObject } from '../../functions/vss/json.ts';
import { readSummary, type Summary } from '../../functions/vss/summary.ts';
import { examples } from '../../infra/local/examples.ts';

/** The body of a published example. */
export function example(name: string): string {
  const found = examples.find((known) => known.name === name);
  if (!found) throw new Error(`There is no example ${name}`);
  return found.body;
}

/** The body of a valid summary, with some fields of its payload replaced. A field that is undefined is left out. */
export function summaryBody(payload: Readonly<Record<string, unknown>> = {}, event: JsonObject = {}): string {
  return JSON.stringify({
    namespace: 'VOICE',
    eventType: 'SESSION_SUMMARY',
    description: 'Summary of a completed call session',
    ...event,
    payload: {
      sessionId: 'e5f0b2a4-0001-11f0-8937-99c7872ee3c4',
      subAccountId: '8x8_test',
      sessionStatus: 'COMPLETED',
      startTime: '2026-01-13T08:26:58Z',
      endTime: '2026-01-13T08:27:33Z',
      ...payload,
    },
  });
}

/** Parses the body of a valid summary. */
export function summaryOf(body: string): Summary {
  const read = readSummary(body);
  if (read.outcome !== 'summary') throw new Error(`${JSON.stringify(read)}: ${body.slice(0, 500)}`);
  return read.summary;
}
