import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { FIELDS } from '../../../functions/vss/payload.ts';
import {
  merge,
  newRecord,
  receivedSummary,
  type SessionRecord,
  SessionRecord as SessionRecordSchema,
} from '../../../functions/vss/record.ts';
import { changedSession } from '../../../infra/commands/session-events/changed-session.ts';
import schema from '../../../infra/session-events/session-event.schema.json' with { type: 'json' };
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { delivery } from '../../functions/vss/deliveries.ts';
import { eventOf, streamRecord } from './events.ts';

/** The contract with the consumers of session events is the schema: events match it, and it matches the record. */

const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);

function expectValid(event: unknown): void {
  validate(event);
  expect(validate.errors).toBeNull();
}

const Detail = v.looseObject({
  errorDetails: v.looseObject({ errorCode: v.string() }),
  details: v.record(v.string(), v.record(v.string(), v.string())),
});

const record = (body: string, reconstructedFrom?: string) =>
  newRecord(receivedSummary(summaryOf(body), '2026-01-13T08:27:34.567Z', reconstructedFrom));

const records = fc
  .tuple(delivery, fc.constantFrom(undefined, 'log-export'))
  .map(([body, from]) => record(JSON.stringify(body), from));

/** The value of an attribute as an event shows it. */
const asText = (value: unknown) => (value === undefined ? '' : String(value).slice(0, 256).toWellFormed());

describe('every event', () => {
  it('matches the schema, whatever is delivered', () => {
    fc.assert(
      fc.property(records, fc.boolean(), (after, phoneNumbers) => {
        expectValid(eventOf(after, { phoneNumbers }));
      }),
    );
  });

  it('is the same when npx vss-webhook redrive publishes it in place of the pipe', () => {
    fc.assert(
      fc.property(records, fc.boolean(), (after, phoneNumbers) => {
        const { source: _, ...event } = eventOf(after, { phoneNumbers });
        const { detailType, detail } = changedSession(streamRecord(after, { phoneNumbers })) ?? {};

        expect({ 'detail-type': detailType, detail }).toEqual(event);
      }),
    );
    expect(changedSession({ dynamodb: { NewImage: { sessionId: { S: 's' } } } })).toBeUndefined();
  });

  it('matches the schema if a record changes', () => {
    const before = record(summaryBody({ sessionStatus: 'FAILED' }), 'log-export');
    const after = merge(before, record(summaryBody({ endTime: '2026-01-13T08:27:40Z' })));

    const event = eventOf(after, { before });

    expectValid(event);
    expect(event).toMatchObject({
      'detail-type': 'Session Changed',
      detail: { previousOutcome: 'unsuccessful', outcome: 'successful', revision: String(after.revision) },
    });
  });

  it('has the values of the record, in the names of 8x8', () => {
    fc.assert(
      fc.property(records, (after) => {
        const { errorDetails, details, ...detail } = v.parse(
          Detail,
          eventOf(after, { phoneNumbers: true }).detail,
        );

        for (const name of RECORD_FIELDS) expect([name, detail[name]]).toEqual([name, asText(after[name])]);
        expect(detail['id']).toBe(`${after.digest}/${after.revision}`);
        expect(errorDetails.errorCode).toBe(asText(Object(after['errorDetails']).errorCode));
        for (const leg of ['callA', 'callB']) expect(details[leg]).toEqual(numbersOf(after, leg));
      }),
    );
  });
});

function numbersOf({ legs }: SessionRecord, name: string) {
  const leg = Array.isArray(legs) ? legs.find((each) => each.leg === name) : undefined;
  return { source: asText(leg?.source), destination: asText(leg?.destination) };
}

const { properties } = schema.definitions.detail;

/** The fields that an event has and a record has not. */
const OWN = ['schemaVersion', 'id', 'previousOutcome', 'outcome', 'previousRetryCanHelp', 'retryCanHelp'];
/** The fields with an object, whose fields are compared separately. */
const OBJECTS = ['errorDetails', 'details'];
const RECORD_FIELDS = Object.keys(properties).filter((name) => ![...OWN, ...OBJECTS].includes(name));

it('the README has an event that matches the schema', () => {
  const readme = readFileSync(new URL('../../../infra/session-events/README.md', import.meta.url), 'utf8');
  const [, json = ''] = /```json\n(.*?)```/s.exec(readme) ?? [];

  expectValid(JSON.parse(json));
  expect(json).toContain(`"meaning": "${ERROR_CODES.get(-2010)?.meaning}"`);
});

describe('the schema', () => {
  it('has only names of 8x8 and of the record, and our own', () => {
    const known = [...Object.keys(FIELDS.payload), ...Object.keys(SessionRecordSchema.entries)];

    expect(RECORD_FIELDS.filter((name) => !known.includes(name))).toEqual([]);
    expect(
      Object.keys(properties.errorDetails.properties).filter((name) => !(name in FIELDS.errorDetails)),
    ).toEqual(['meaning']);
    expect(
      Object.keys(schema.definitions.phoneNumbers.properties).filter((name) => !(name in FIELDS.leg)),
    ).toEqual([]);
  });

  it('has exactly the fields of the events, and requires all of them', () => {
    const names = Object.keys(v.parse(Detail, eventOf(record(summaryBody())).detail));

    expect(names.toSorted()).toEqual(Object.keys(properties).toSorted());
    expect(names.toSorted()).toEqual(schema.definitions.detail.required.toSorted());
  });

  it('rejects an event without a field, or with another type', () => {
    const event = eventOf(record(summaryBody()));
    const detail = v.parse(Detail, event.detail);

    for (const name of schema.definitions.detail.required)
      expect(validate({ ...event, detail: { ...detail, [name]: undefined } })).toBe(false);
    for (const name of Object.keys(properties))
      expect(validate({ ...event, detail: { ...detail, [name]: 7 } })).toBe(false);
  });
});
