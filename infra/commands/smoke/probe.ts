import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { readSummary } from '../../../functions/vss/summary.ts';

/** A delivery of our own, which is told from those of 8x8 by the id of its session. */
export interface Probe {
  sessionId: string;
  body: string;
}

/** What the session id of every probe begins with. */
const PREFIX = 'smoke-';

/** A sub-account that no stage has. */
export const UNKNOWN_SUB_ACCOUNT = 'smoke-test-unknown-sub-account';

/**
 * A summary as 8x8 delivers it, of a session of two legs. It is a successful one, so that it is in no index of what has
 * to be retried, and its phone numbers are among those that are never assigned.
 *
 * @param end When the session ended, and this was delivered.
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
    clientRequestId: 'npm-run-smoke',
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
 * The names of the attributes in which a record differs from the one that a probe has to become: what one delivery of
 * it makes. When the record expires, and when exactly the probe was received, is for the stage to say.
 */
export function differences({ body }: Probe, record: Attributes): string[] {
  const read = readSummary(body);
  if (read.outcome !== 'summary') throw new Error(`The probe is no summary: ${read.outcome}`);
  const { expiresAt: _, ...found } = record;
  const receivedAt = String(found['receivedAt']);
  const expected = fromItem(toItem(newRecord(receivedSummary(read.summary, receivedAt))));
  const differing = changes(expected, found);
  return Number.isNaN(Date.parse(receivedAt)) ? [...new Set([...differing, 'receivedAt'])] : differing;
}

/** The names of the attributes that are not the same in both. */
export function changes(before: Attributes, after: Attributes): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name])).sort();
}
