import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { readSummary } from '../../../functions/vss/summary.ts';

/** A test delivery. Its session id distinguishes it from deliveries of 8x8. */
export interface Probe {
  sessionId: string;
  body: string;
}

/** The prefix of every probe's session id. */
const PREFIX = 'smoke-';

/** A sub-account that no stage has. */
export const UNKNOWN_SUB_ACCOUNT = 'smoke-test-unknown-sub-account';

/**
 * Creates a summary as 8x8 delivers it, of a session with two legs. The session is successful, so that it is not in the
 * index of sessions to retry. Its phone numbers are from a range that is never assigned.
 *
 * @param end When the session ended and the summary is delivered.
 */
export function probeOf(subAccountId: string, end: Date = new Date()): Probe {
  const sessionId = `${PREFIX}${randomUUID()}`;
  const secondsBefore = (seconds: number) =>
    new Date(end.getTime() - seconds * 1_000).toISOString().replace(/\.\d+/, '');
  const leg = {
    callDirection: 'OUTBOUND',
    callType: 'PSTN',
    disconnectedTimestamp: secondsBefore(0),
    source: '+12025550100',
    sourceFormat: 'MSISDN',
    sourceCountryCode: 'US',
    destinationFormat: 'MSISDN',
    destinationCountryCode: 'US',
    callStatus: 'COMPLETED',
    callQuality: { mos: 4.5, packetLossRate: 0, jitter: 20 },
  };
  const payload = {
    sessionId,
    subAccountId,
    sessionStatus: 'COMPLETED',
    startTime: secondsBefore(30),
    endTime: secondsBefore(0),
    lastAction: 'MAKE_CALL',
    callCount: 2,
    clientRequestId: 'vss-webhook-smoke',
    details: {
      callA: {
        ...leg,
        callId: randomUUID(),
        destination: '+12025550101',
        initiatedTimestamp: secondsBefore(30),
        connectedTimestamp: secondsBefore(20),
        callDuration: 20,
      },
      callB: {
        ...leg,
        callId: randomUUID(),
        destination: '+12025550102',
        initiatedTimestamp: secondsBefore(18),
        connectedTimestamp: secondsBefore(10),
        callDuration: 10,
      },
    },
  };
  const event = {
    payload,
    namespace: 'VOICE',
    eventType: 'SESSION_SUMMARY',
    description: 'Summary of a completed call session',
    version: 5,
  };
  return { sessionId, body: JSON.stringify(event) };
}

/** The attributes of an item in the table. */
export type Attributes = Readonly<Record<string, unknown>>;

/**
 * Compares a record with the one that a single delivery of the probe must create. Returns the names of the attributes
 * that differ. What depends on the stage is ignored: `expiresAt`, `event`, and the value of `receivedAt`, which has to be a time.
 */
export function differences({ body }: Probe, record: Attributes): string[] {
  const read = readSummary(body);
  if (read.outcome !== 'summary') throw new Error(`The probe is not a valid summary: ${read.outcome}`);
  const { expiresAt, event, ...found } = record;
  const receivedAt = String(found['receivedAt']);
  const expected = fromItem(toItem(newRecord(receivedSummary(read.summary, receivedAt))));
  const differing = changes(expected, found);
  return Number.isNaN(Date.parse(receivedAt)) ? [...new Set([...differing, 'receivedAt'])] : differing;
}

/** The names of the attributes that differ. */
export function changes(before: Attributes, after: Attributes): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).sort();
}
