import { toItem } from '../../../functions/recorder/item.ts';
import type { SessionRecord } from '../../../functions/vss/record.ts';
import { sessionEvent } from '../../../functions/vss/session-event.ts';
import { evaluateTemplate, valueAt } from '../../../infra/local/input-template.ts';
import { DETAIL_TYPE_PATH } from '../../../infra/session-events/event-detail.ts';
import { inputTemplate } from '../../../infra/session-events/pipe-template.ts';

interface Options {
  before?: SessionRecord | undefined;
  phoneNumbers?: boolean;
}

/** The record of the stream when the recorder writes a record. */
export function streamRecord(record: SessionRecord, { before, phoneNumbers = false }: Options = {}) {
  const event = sessionEvent(before, record, { phoneNumbers });
  return { eventName: before ? 'MODIFY' : 'INSERT', dynamodb: { NewImage: toItem({ ...record, event }) } };
}

/** The event that the pipe makes of a write. */
export function eventOf(record: SessionRecord, options: Options = {}) {
  const change = streamRecord(record, options);
  return {
    'detail-type': valueAt(DETAIL_TYPE_PATH, change),
    source: 'vss-webhook-test',
    detail: evaluateTemplate(inputTemplate(), change),
  };
}
