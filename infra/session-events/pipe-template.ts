import { EVENT_TYPES, type Outcome, type SessionEvent } from '../../functions/vss/session-event.ts';
import type { SessionEventSettings } from '../settings.ts';
import { eventDetail } from './event-detail.ts';

/**
 * What the pipe selects from the stream of the table, and what it makes of it. All values come from attributes that exist
 * in every record with an `event`: AWS does not document what a pipe does with a path that does not exist.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */

/** The input template: the detail of an event, with paths in place of values. */
export function inputTemplate(): string {
  const inBrackets = (path: string) => `<${path}>`;
  const template = JSON.stringify(eventDetail({ text: inBrackets, flag: inBrackets }));
  // A boolean is not a text, so its path has no quotation marks.
  return template.replaceAll(/"(<[^"]*\.BOOL>)"/g, '$1');
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
