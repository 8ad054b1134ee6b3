import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { type Day, dayOf } from '../../../functions/reconciliation/day.ts';
import { fromItem } from '../../../functions/recorder/item.ts';
import { ERASED_AT } from '../../../functions/recorder/tombstone.ts';
import { inOneLine } from '../../terminal/printable.ts';
import { masked } from '../dead-letters/masked.ts';
import { scalarsOf } from './phone-number.ts';

/** A session that is to be erased. */
export interface ErasableSession {
  /** As in the table. */
  sessionId: string;
  /** Describes it in one line, with phone numbers masked. */
  line: string;
  /** The days of its times, on which rows of its calls are stored; undefined if they are unknown, because it has no record. */
  charges: { subAccountId: string; from: Day; to: Day } | undefined;
}

const Text = v.optional(v.string());
const Leg = v.object({ source: Text, destination: Text });
const Shown = v.object({
  sessionId: v.string(),
  startTime: Text,
  subAccountId: Text,
  sessionStatus: Text,
  legs: v.optional(v.array(v.fallback(Leg, {})), []),
});

const UNKNOWN = '–';

/** Describes an item of the table: a record, or what an interrupted erasure has left of it. */
export function erasableSession(item: Readonly<Record<string, AttributeValue>>): ErasableSession {
  const attributes = fromItem(item);
  const { sessionId, startTime, subAccountId, sessionStatus, legs } = v.parse(Shown, attributes);
  const numbers = legs.map(({ source, destination }) => `${source ?? UNKNOWN} → ${destination ?? UNKNOWN}`);
  const isErased = attributes[ERASED_AT] !== undefined;
  const shown = [
    sessionId,
    startTime ?? UNKNOWN,
    subAccountId ?? UNKNOWN,
    sessionStatus ?? UNKNOWN,
    ...numbers,
    ...(isErased ? ['(already marked as erased)'] : []),
  ];
  return {
    sessionId,
    line: inOneLine(shown.map(masked).join('  ')),
    charges: subAccountId === undefined ? undefined : { subAccountId, ...daysOf(attributes) },
  };
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT/;

/** The first and the last day among all its times. */
function daysOf(attributes: Readonly<Record<string, unknown>>): { from: Day; to: Day } {
  const { [ERASED_AT]: _, ...record } = attributes;
  const days = scalarsOf(record)
    .filter((text) => ISO_TIME.test(text))
    .map(dayOf)
    .toSorted();
  return { from: days.at(0) ?? '', to: days.at(-1) ?? '' };
}
