import * as v from 'valibot';
import type { BusEvent } from '../../infra/local/event-bus.ts';
import type { StreamRecord } from '../../infra/local/table-streams.ts';

/** How the published events differ from the changes of the table. */
export interface EventDifferences {
  /** Changes of a session without an event. */
  missing: number;
  /** Events without a change, or with other values. */
  unexpected: number;
  /** Sessions whose events were published in another order than their changes were made. */
  disordered: number;
}

const Image = v.object({
  sessionId: v.object({ S: v.string() }),
  digest: v.object({ S: v.string() }),
  revision: v.object({ N: v.string() }),
  sessionStatus: v.optional(v.object({ S: v.string() })),
  reconstructedFrom: v.optional(v.object({ S: v.string() })),
});

const Event = v.object({
  'detail-type': v.string(),
  detail: v.object({
    id: v.string(),
    sessionId: v.string(),
    sessionStatus: v.string(),
    reconstructedFrom: v.string(),
    revision: v.string(),
  }),
});
type Event = v.InferOutput<typeof Event>;

/**
 * Compares the events with what the items of the table showed after each write, without the attribute `event`. An event
 * that was published more than once counts once.
 */
export function compareEvents(
  changes: readonly StreamRecord[],
  published: readonly BusEvent[],
): EventDifferences {
  const expected = new Set(expectedEvents(changes).map((event) => JSON.stringify(event)));
  const found = new Set(published.map((event) => JSON.stringify(v.parse(Event, event))));
  const bySession = (events: ReadonlySet<string>) =>
    Map.groupBy(events, (event) => v.parse(Event, JSON.parse(event)).detail.sessionId);
  const foundBySession = bySession(found);
  return {
    missing: expected.difference(found).size,
    unexpected: found.difference(expected).size,
    disordered: [...bySession(expected)].filter(
      ([session, events]) => JSON.stringify(events) !== JSON.stringify(foundBySession.get(session)),
    ).length,
  };
}

function expectedEvents(changes: readonly StreamRecord[]): Event[] {
  const shown = new Map<string, string>();
  return changes.flatMap(({ dynamodb }) => {
    const { sessionId, digest, revision, sessionStatus, reconstructedFrom } = v.parse(
      Image,
      dynamodb.NewImage,
    );
    const summary = `${digest.S} ${reconstructedFrom?.S}`;
    const before = shown.get(sessionId.S);
    shown.set(sessionId.S, summary);
    if (before === summary) return [];
    return {
      'detail-type': before === undefined ? 'Session Recorded' : 'Session Changed',
      detail: {
        id: `${digest.S}/${revision.N}`,
        sessionId: sessionId.S,
        sessionStatus: sessionStatus?.S ?? '',
        reconstructedFrom: reconstructedFrom?.S ?? '',
        revision: revision.N,
      },
    };
  });
}
