import type { SessionEvent } from '../../functions/vss/session-event.ts';

/** Where the values of an event are in a record of the table's stream. */
const IMAGE = '$.dynamodb.NewImage';

const pathTo = (field: keyof SessionEvent, type = 'S') => `${IMAGE}.event.M.${field}.${type}`;

/** The path to the `detail-type` of an event. */
export const DETAIL_TYPE_PATH = pathTo('type');

/** The version of the detail's schema. A new field does not change it. */
const SCHEMA_VERSION = 1;

/** What to put in place of a path, for example the value that is there. */
export interface PathValues {
  text(path: string): string;
  flag(path: string): boolean | string;
}

/**
 * The detail of a session event. All its values come from attributes that exist in every record with an `event`. The
 * stream may still have records of the previous release: a new field has to be written for a day before it may be used
 * here.
 */
export function eventDetail({ text: textAt, flag }: PathValues) {
  const text = (field: keyof SessionEvent) => textAt(pathTo(field));
  const numbers = (leg: 'callA' | 'callB') => ({
    source: textAt(pathTo(leg, 'M.source.S')),
    destination: textAt(pathTo(leg, 'M.destination.S')),
  });
  const revision = textAt(`${IMAGE}.revision.N`);
  return {
    schemaVersion: SCHEMA_VERSION,
    id: `${textAt(`${IMAGE}.digest.S`)}/${revision}`,
    sessionId: text('sessionId'),
    subAccountId: text('subAccountId'),
    sessionStatus: text('sessionStatus'),
    startTime: text('startTime'),
    endTime: text('endTime'),
    lastAction: text('lastAction'),
    callCount: text('callCount'),
    clientRequestId: text('clientRequestId'),
    errorDetails: { errorCode: text('errorCode'), meaning: text('errorMeaning') },
    details: { callA: numbers('callA'), callB: numbers('callB') },
    previousOutcome: text('previousOutcome'),
    outcome: text('outcome'),
    previousRetryCanHelp: flag(pathTo('previousRetryCanHelp', 'BOOL')),
    retryCanHelp: flag(pathTo('retryCanHelp', 'BOOL')),
    reconstructedFrom: text('reconstructedFrom'),
    receivedAt: textAt(`${IMAGE}.receivedAt.S`),
    revision,
  };
}
