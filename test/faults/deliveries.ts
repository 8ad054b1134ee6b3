import { merge, newRecord, receivedSummary, type SessionRecord } from '../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../functions/summaries.ts';

export interface Workload {
  /** The deliveries, in order. */
  bodies: readonly string[];
  /** The expected records, by session id. */
  oracle: ReadonlyMap<string, SessionRecord>;
}

/**
 * Generates the deliveries of sessions. A fifth of the sessions is delivered more than once: the same summary again,
 * serialized differently, or with other content. The deliveries of different sessions are interleaved.
 */
export function workload(sessions: number, random: () => number): Workload {
  const oracle = new Map<string, SessionRecord>();
  const placed: { at: number; body: string }[] = [];
  for (let i = 0; i < sessions; i++) {
    const sessionId = `faults-${i}`;
    const start = Date.parse('2026-01-13T08:00:00Z') + i * 1_000;
    const payload = {
      sessionId,
      sessionStatus: random() < 0.8 ? 'COMPLETED' : 'NO ANSWER',
      startTime: new Date(start).toISOString(),
      endTime: new Date(start + 30_000).toISOString(),
      details: {
        callA: { callId: `${sessionId}-a`, callDuration: Math.floor(random() * 600), source: '+6568332048' },
      },
    };
    const bodies = [summaryBody(payload)];
    const kind = random();
    if (kind < 0.1) bodies.push(summaryBody(payload));
    else if (kind < 0.13)
      bodies.push(
        summaryBody({ ...payload, endTime: payload.endTime.replace('Z', '+00:00'), lastAction: null }),
      );
    else if (kind < 0.2)
      bodies.push(summaryBody({ ...payload, sessionStatus: 'FAILED' }), summaryBody(payload));
    if (kind < 0.01)
      bodies.push(summaryBody({ ...payload, endTime: new Date(start + 31_000).toISOString() }));
    for (const body of bodies) {
      const record = newRecord(receivedSummary(summaryOf(body), ''));
      const known = oracle.get(sessionId);
      oracle.set(sessionId, known ? merge(known, record) : record);
      placed.push({ at: i + random() * 50, body });
    }
  }
  return { bodies: placed.sort((a, b) => a.at - b.at).map(({ body }) => body), oracle };
}
