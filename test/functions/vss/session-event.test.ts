import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { retryCanHelp, sessionEvent } from '../../../functions/vss/session-event.ts';
import { example, summaryBody, summaryOf } from '../summaries.ts';
import { codePoint, delivery } from './deliveries.ts';

const RECEIVED_AT = '2026-01-13T08:27:34.567Z';

function record(payload: object = {}, receivedAt = RECEIVED_AT, reconstructedFrom?: string): SessionRecord {
  return newRecord(receivedSummary(summaryOf(summaryBody({ ...payload })), receivedAt, reconstructedFrom));
}

const eventOf = (before: SessionRecord | undefined, after: SessionRecord) =>
  sessionEvent(before, after, { phoneNumbers: false });

describe('the event of a new session', () => {
  it('has every field, as text', () => {
    const failed = newRecord(receivedSummary(summaryOf(example('number-masking-error')), RECEIVED_AT));

    expect(eventOf(undefined, failed)).toEqual({
      type: 'Session Recorded',
      sessionId: failed.sessionId,
      subAccountId: failed.subAccountId,
      sessionStatus: 'ERROR',
      startTime: failed['startTime'],
      endTime: failed.endTime,
      lastAction: 'PLAY_TTS',
      callCount: String(failed['callCount'] ?? ''),
      clientRequestId: String(failed['clientRequestId'] ?? ''),
      errorCode: '-2004',
      errorMeaning: ERROR_CODES.get(-2004)?.meaning,
      previousOutcome: '',
      outcome: 'unsuccessful',
      previousRetryCanHelp: false,
      retryCanHelp: false,
      reconstructedFrom: '',
      callA: { source: '', destination: '' },
      callB: { source: '', destination: '' },
    });
  });

  it('has the phone numbers of the first two legs only if they are included', () => {
    const answered = newRecord(receivedSummary(summaryOf(example('number-masking-answered')), RECEIVED_AT));
    const [callA, callB] = JSON.parse(JSON.stringify(answered['legs']));

    const included = sessionEvent(undefined, answered, { phoneNumbers: true });
    const numbers = [callA, callB].flatMap(({ source, destination }) => [source, destination]);

    expect(included).toMatchObject({
      callA: { source: callA.source, destination: callA.destination },
      callB: { source: callB.source, destination: callB.destination },
    });
    expect(numbers.every((number) => /^\+?\d{7,}$/.test(number))).toBe(true);
    for (const number of numbers)
      expect(JSON.stringify(eventOf(undefined, answered))).not.toContain(number.replace('+', ''));
  });

  it('has empty phone numbers for legs that do not exist', () => {
    expect(sessionEvent(undefined, record(), { phoneNumbers: true })).toMatchObject({
      callA: { source: '', destination: '' },
      callB: { source: '', destination: '' },
    });
  });
});

describe('the event of a change', () => {
  const completed = { sessionStatus: 'COMPLETED', endTime: '2026-01-13T08:27:40Z' };

  it('is another summary that the record shows, with the outcome before', () => {
    const before = record({ sessionStatus: 'FAILED' });
    const after = merge(before, record(completed));

    expect(eventOf(before, after)).toMatchObject({
      type: 'Session Changed',
      sessionStatus: 'COMPLETED',
      previousOutcome: 'unsuccessful',
      outcome: 'successful',
      previousRetryCanHelp: true,
      retryCanHelp: false,
    });
  });

  it('is a delivery that replaces a reconstruction, even with the same content', () => {
    const before = record({}, RECEIVED_AT, 'log-export');

    expect(eventOf(undefined, before)).toMatchObject({ reconstructedFrom: 'log-export' });
    expect(eventOf(before, merge(before, record()))).toMatchObject({
      type: 'Session Changed',
      reconstructedFrom: '',
    });
  });

  it('is undefined if the record shows the same summary as before', () => {
    const before = merge(record(completed), record({ sessionStatus: 'FAILED' }));
    const older = record({ sessionStatus: 'BUSY', endTime: '2026-01-13T08:27:00Z' });
    const earlier = record(completed, '2026-01-13T08:27:00.000Z');

    for (const other of [older, earlier]) expect(eventOf(before, merge(before, other))).toBeUndefined();
  });

  it('is not part of the summaries that are merged', () => {
    const before = { ...record({ sessionStatus: 'FAILED' }), event: { type: 'Session Recorded' } };
    const after = merge(before, record(completed));

    expect(JSON.stringify(after)).not.toContain('Session Recorded');
  });
});

it('has only texts that are the content of a JSON string, whatever is delivered', () => {
  fc.assert(
    fc.property(delivery, fc.string({ unit: codePoint, maxLength: 600 }), (body, text) => {
      const summary = summaryOf(JSON.stringify(body));
      const event = sessionEvent(
        undefined,
        newRecord(receivedSummary({ ...summary, clientRequestId: text, sessionId: '"\\' }, RECEIVED_AT)),
        { phoneNumbers: true },
      );
      const { retryCanHelp: _, previousRetryCanHelp: __, callA, callB, ...texts } = event ?? {};
      const all = [...Object.values(texts), ...Object.values(callA ?? {}), ...Object.values(callB ?? {})];

      expect(all).toHaveLength(18);
      for (const each of all) {
        const content = JSON.parse(`"${each}"`);
        expect(content.isWellFormed()).toBe(true);
        expect(content.length).toBeLessThanOrEqual(256);
      }
      expect(JSON.parse(`"${event?.clientRequestId}"`)).toBe(text.slice(0, 256).toWellFormed());
    }),
  );
});

describe('a retry', () => {
  it.each([...ERROR_CODES].map(([code, { retryCanHelp }]) => [code, retryCanHelp] as const))(
    'follows the error code %i',
    (errorCode, expected) => {
      expect(retryCanHelp(record({ sessionStatus: 'ERROR', errorDetails: { errorCode } }))).toBe(expected);
    },
  );

  it.each([
    ['BUSY', true],
    ['NO_ANSWER', true],
    ['FAILED', true],
    ['ERROR', true],
    ['CANCELED', false],
    ['SOMETHING_NEW', false],
    [undefined, false],
    ['COMPLETED', false],
    ['COMPLETED_UNSUB_ERROR', false],
  ])('follows the status %s if 8x8 documents no error code', (sessionStatus, expected) => {
    expect(retryCanHelp(record({ sessionStatus }))).toBe(expected);
    expect(retryCanHelp(record({ sessionStatus, errorDetails: { errorCode: -1234 } }))).toBe(expected);
  });

  it('cannot help a successful session, whatever its error code', () => {
    expect(retryCanHelp(record({ errorDetails: { errorCode: -2001 } }))).toBe(false);
  });
});
