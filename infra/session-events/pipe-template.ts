import { EVENT_TYPES, type Outcome, type SessionEvent } from '../../functions/vss/session-event.ts';
import type { SessionEventSettings } from '../settings.ts';

/**
 * What the pipe selects from the stream of the table, and what it makes of it. All values come from attributes that exist
 * in every record with an `event`: AWS does not document what a pipe does with a path that does not exist.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */

const IMAGE = '$.dynamodb.NewImage';

const pathTo = (field: keyof SessionEvent, type = 'S') => `${IMAGE}.event.M.${field}.${type}`;

/** The path to the `detail-type` of an event. */
export const DETAIL_TYPE_PATH = pathTo('type');

/** The version of the detail's schema. A new field does not change it. */
const SCHEMA_VERSION = 1;

/**
 * The input template: the detail of an event, with paths in place of values. The stream may still have records of the
 * previous release: a new field has to be written for a day before the template may refer to it.
 */
export function inputTemplate(): string {
  const text = (field: keyof SessionEvent) => `<${pathTo(field)}>`;
  const numbers = (leg: 'callA' | 'callB') => ({
    source: `<${pathTo(leg, 'M.source.S')}>`,
    destination: `<${pathTo(leg, 'M.destination.S')}>`,
  });
  const detail = {
    schemaVersion: SCHEMA_VERSION,
    id: `<${IMAGE}.digest.S>/<${IMAGE}.revision.N>`,
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
    previousRetryCanHelp: `<${pathTo('previousRetryCanHelp', 'BOOL')}>`,
    retryCanHelp: `<${pathTo('retryCanHelp', 'BOOL')}>`,
    reconstructedFrom: text('reconstructedFrom'),
    receivedAt: `<${IMAGE}.receivedAt.S>`,
    revision: `<${IMAGE}.revision.N>`,
  };
  // A boolean is not a text, so its path has no quotation marks.
  return JSON.stringify(detail).replaceAll(/"(<[^"]*\.BOOL>)"/g, '$1');
}

/** The patterns of the writes that are published. One of them has to match. */
export function filterPatterns({ outcomes }: SessionEventSettings): object[] {
  const pattern = (fields: Partial<Record<keyof SessionEvent, Outcome>>) => {
    const event = {
      type: { S: Object.values(EVENT_TYPES) },
      ...Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, { S: [value] }])),
    };
    return { dynamodb: { NewImage: { event: { M: event } } } };
  };
  return outcomes === 'all'
    ? [pattern({})]
    : [pattern({ outcome: 'unsuccessful' }), pattern({ previousOutcome: 'unsuccessful' })];
}
