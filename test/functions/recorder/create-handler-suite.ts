import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Message, type ReceivedMessage, toMessage } from '../../../functions/queue/message.ts';
import { createHandler } from '../../../functions/recorder/create-handler.ts';
import { RecordTooLargeError, type SessionTable } from '../../../functions/recorder/session-table.ts';
import { carried } from '../queue/carried.ts';
import { example, summaryBody } from '../summaries.ts';
import { telemetry } from '../telemetry.ts';
import { emulatedTable } from './emulated-table.ts';

/** What the recorder promises, on the emulator of DynamoDB at this URL. */
export function recorderSuite(endpoint: string): void {
  describe('the recorder', () => {
    let emulator: Awaited<ReturnType<typeof emulatedTable>>;
    beforeAll(async () => {
      emulator = await emulatedTable(endpoint);
    });
    beforeEach(() => {
      emulator.requests.length = 0;
    });
    afterAll(() => emulator.stop());

    /** A recorder on the emulated table, some of whose operations may be replaced. */
    function recorder({
      table = {},
      sendToDeadLetters = async () => {},
    }: {
      table?: Partial<SessionTable>;
      sendToDeadLetters?: (message: Message) => Promise<unknown>;
    } = {}) {
      const deadLetters: Message[] = [];
      const seen = telemetry();
      const handle = createHandler({
        table: { ...emulator.table, ...table },
        sendToDeadLetters: async (message) => {
          await sendToDeadLetters(message);
          deadLetters.push(message);
        },
        // Two seconds after every delivery was received.
        now: () => Date.parse('2026-01-13T08:27:36.567Z'),
        ...seen,
      });
      return {
        record: (...bodies: string[]) => handle({ Records: bodies.map(received) }),
        deadLetters,
        ...seen,
      };
    }

    let sessions = 0;
    const newSession = () => `session-${++sessions}`;

    async function itemOf(sessionId: string) {
      return (await emulator.items()).find((item) => item['sessionId'] === sessionId);
    }

    it('records a new session with one request', async () => {
      const { record, counted } = recorder();

      expect(await record(example('ivr-busy'))).toEqual({ batchItemFailures: [] });

      expect(emulator.requests).toEqual(['PutItem']);
      expect(counted).toEqual({ SessionsRecorded: 1, UnrecognisedFields: 0 });
      expect(await itemOf('ece96728-f059-11f0-baa6-c147150ab00e')).toMatchObject({
        subAccountId: '8x8_test',
        sessionStatus: 'BUSY',
        unsuccessfulIn: '8x8_test',
        startTime: '2026-01-13T08:29:06.000Z',
        endTime: '2026-01-13T08:29:43.000Z',
        receivedAt: '2026-01-13T08:27:34.567Z',
        version: 5,
        revision: 1,
        legs: [{ leg: 'callA' }, { leg: 'callB' }],
      });
    });

    it('counts sessions by status, whatever else 8x8 may send, and measures how long they took', async () => {
      const { record, countedBy, measured } = recorder();
      const statuses = ['COMPLETED', 'NO ANSWER', 'no_answer', 'SOMETHING_NEW', 'SOMETHING_NEWER'];

      await record(
        ...statuses.map((sessionStatus) => summaryBody({ sessionId: newSession(), sessionStatus })),
      );

      expect(countedBy).toEqual({
        'SessionsRecorded sessionStatus=COMPLETED': 1,
        'SessionsRecorded sessionStatus=NO_ANSWER': 2,
        'SessionsRecorded sessionStatus=OTHER': 2,
      });
      expect(measured).toEqual(statuses.map(() => ['RecordingLag', 'Milliseconds', 2_000]));
    });

    it('counts a summary that lacks its status or a time as incomplete, and records it all the same', async () => {
      const { record, counted, countedBy } = recorder();
      const incomplete = [{ sessionStatus: null }, { startTime: 'never' }, { endTime: undefined }];
      const sessionIds = incomplete.map(newSession);

      await record(
        ...incomplete.map((payload, i) => summaryBody({ sessionId: sessionIds[i], ...payload })),
        summaryBody({ sessionId: newSession() }),
      );

      expect(counted).toMatchObject({ SessionsRecorded: 4, IncompleteSummaries: 3 });
      expect(countedBy).toMatchObject({ 'SessionsRecorded sessionStatus=OTHER': 1 });
      expect(await itemOf(sessionIds[1] ?? '')).toMatchObject({
        sessionStatus: 'COMPLETED',
        unrecognised: { 'payload.startTime': 'never' },
      });
    });

    it('has an unsuccessful session without an end in the index, by when it was received', async () => {
      const { record } = recorder();
      const sessionId = newSession();

      await record(summaryBody({ sessionId, sessionStatus: 'ERROR', endTime: null }));

      expect(await emulator.unsuccessfulIn('8x8_test')).toContainEqual(
        expect.objectContaining({ sessionId, unsuccessfulAt: '2026-01-13T08:27:34.567Z' }),
      );
    });

    it('takes the same payload with other fields beside it for a duplicate', async () => {
      const { record, counted } = recorder();
      const sessionId = newSession();

      for (const eventId of ['first', 'second', 'third'])
        await record(summaryBody({ sessionId }, { eventId, timestamp: new Date().toISOString() }));

      expect(counted).toMatchObject({ SessionsRecorded: 1, DuplicateDeliveries: 2 });
      expect(await itemOf(sessionId)).toMatchObject({ revision: 1, unrecognised: { eventId: 'first' } });
    });

    it('keeps recording the newest of so many conflicting summaries that one record cannot hold them', async () => {
      const { record, deadLetters, counted } = recorder();
      const sessionId = newSession();
      const ending = (second: number) =>
        summaryBody({
          sessionId,
          endTime: `2026-01-13T08:28:${second}Z`,
          filler: `${second}`.repeat(60_000),
        });

      for (let second = 10; second < 20; second++) await record(ending(second));

      const { endTime, alternates } = (await itemOf(sessionId)) ?? {};
      expect(endTime).toBe('2026-01-13T08:28:19.000Z');
      expect(counted).toEqual({
        SessionsRecorded: 1,
        ConflictingSummaries: 9,
        UnrecognisedFields: 10,
        DeadLettered: deadLetters.length,
      });
      const kept = v.parse(v.array(v.looseObject({ endTime: v.string() })), alternates);
      const moved = deadLetters.map(({ MessageBody }) =>
        v.parse(v.looseObject({ endTime: v.string() }), JSON.parse(MessageBody)),
      );
      expect([...kept, ...moved].map((one) => one.endTime).toSorted()).toEqual(
        Array.from({ length: 9 }, (_, i) => `2026-01-13T08:28:${10 + i}.000Z`),
      );
      for (const { MessageAttributes } of deadLetters)
        expect(MessageAttributes).toMatchObject({ reason: { StringValue: 'record-too-large' } });
    });

    it('counts dead letters by reason', async () => {
      const { record, countedBy, counted } = recorder();

      await record('no JSON', '{}', 'nor this');

      expect(countedBy).toEqual({
        'DeadLettered reason=invalid-json': 2,
        'DeadLettered reason=invalid-summary': 1,
      });
      expect(counted).toEqual({ DeadLettered: 3 });
    });

    it('finds a duplicate with two requests and changes nothing', async () => {
      const { record, counted } = recorder();
      const sessionId = newSession();
      await record(summaryBody({ sessionId }));
      const before = await itemOf(sessionId);
      emulator.requests.length = 0;

      await record(summaryBody({ sessionId, callCount: null }));

      expect(emulator.requests).toEqual(['PutItem', 'GetItem']);
      expect(counted).toEqual({ SessionsRecorded: 1, DuplicateDeliveries: 1, UnrecognisedFields: 0 });
      expect(await itemOf(sessionId)).toEqual(before);
    });

    it('keeps another summary of a session beside the first, with three requests', async () => {
      const { record, counted, countedBy, logged } = recorder();
      const sessionId = newSession();
      await record(summaryBody({ sessionId, sessionStatus: 'BUSY' }));
      emulator.requests.length = 0;

      await record(summaryBody({ sessionId, sessionStatus: 'COMPLETED', endTime: '2026-01-13T09:00:00Z' }));

      expect(emulator.requests).toEqual(['PutItem', 'GetItem', 'PutItem']);
      expect(counted).toEqual({ SessionsRecorded: 1, ConflictingSummaries: 1, UnrecognisedFields: 0 });
      expect(countedBy).toEqual({ 'SessionsRecorded sessionStatus=BUSY': 1 });
      const item = await itemOf(sessionId);
      expect(item).toMatchObject({
        sessionStatus: 'COMPLETED',
        endTime: '2026-01-13T09:00:00.000Z',
        alternates: [{ sessionStatus: 'BUSY', endTime: '2026-01-13T08:27:33.000Z' }],
        revision: 2,
      });
      expect(item).not.toHaveProperty('unsuccessfulIn');
      expect(logged).toEqual([
        {
          level: 'warn',
          message: 'Another summary of a recorded session, kept beside it',
          details: [{ sessionId, subAccountId: '8x8_test', digest: item?.['digest'] }],
        },
      ]);
    });

    it('publishes what it counted, once per batch', async () => {
      const { record, published } = recorder();

      await record(summaryBody({ sessionId: newSession() }), summaryBody({ sessionId: newSession() }));

      expect(published).toEqual([{ SessionsRecorded: 2, UnrecognisedFields: 0 }]);
    });

    it('counts what it does not recognise, once per summary', async () => {
      const { record, counted } = recorder();
      const body = summaryBody({
        sessionId: newSession(),
        dtmf: '3',
        details: { callA: { ringSeconds: 4 } },
      });

      await record(body, summaryBody({ sessionId: newSession() }));
      await record(body);

      expect(counted).toEqual({ SessionsRecorded: 2, DuplicateDeliveries: 1, UnrecognisedFields: 2 });
    });

    it('reports only the message that failed, of a batch of ten', async () => {
      const ids = Array.from({ length: 10 }, newSession);
      const { record, counted, logged } = recorder({
        table: {
          add: (added) =>
            added.sessionId === ids[3] ? Promise.reject(new Error('throttled')) : emulator.table.add(added),
        },
      });

      const response = await record(...ids.map((sessionId) => summaryBody({ sessionId })));

      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '3' }] });
      expect(counted).toEqual({ SessionsRecorded: 9, RecordsFailed: 1, UnrecognisedFields: 0 });
      expect(logged).toEqual([
        {
          level: 'error',
          message: 'Not recorded; the queue will try it again',
          details: [{ messageId: '3', error: new Error('throttled') }],
        },
      ]);
      const stored = (await emulator.items()).map((item) => item['sessionId']);
      expect(ids.filter((id) => stored.includes(id))).toEqual(ids.filter((id) => id !== ids[3]));
    });

    it('moves what can never be recorded to the dead-letter queue at once, and records the rest', async () => {
      const sessionId = newSession();
      const { record, deadLetters, counted, logged } = recorder();

      const response = await record(
        '{',
        summaryBody({ subAccountId: '' }),
        '{"eventType":"CALL_STATUS"}',
        summaryBody({ sessionId }),
      );

      expect(response).toEqual({ batchItemFailures: [] });
      expect(deadLetters).toMatchObject([
        { MessageBody: '{', MessageAttributes: { reason: { StringValue: 'invalid-json' } } },
        {
          MessageAttributes: {
            reason: { StringValue: 'invalid-summary' },
            issues: { StringValue: expect.stringContaining('payload.subAccountId') },
            receivedAt: { StringValue: '2026-01-13T08:27:34.567Z' },
            requestId: { StringValue: 'request-1' },
          },
        },
        { MessageAttributes: { reason: { StringValue: 'unsupported-event' } } },
      ]);
      expect(counted).toEqual({ DeadLettered: 3, SessionsRecorded: 1, UnrecognisedFields: 0 });
      expect(logged[0]).toEqual({
        level: 'warn',
        message: 'Not recordable, moved to the dead-letter queue',
        details: [{ requestId: 'request-0', reason: 'invalid-json' }],
      });
      expect(await itemOf(sessionId)).toBeDefined();
    });

    it('leaves a message in the queue when even the dead-letter queue does not take it', async () => {
      const { record } = recorder({ sendToDeadLetters: () => Promise.reject(new Error('no answer')) });

      expect(await record('{')).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
    });

    it('moves a record that DynamoDB finds too large to the dead-letter queue', async () => {
      const { record, deadLetters, logged } = recorder({
        table: { add: () => Promise.reject(new RecordTooLargeError()) },
      });

      const sessionId = newSession();

      expect(await record(summaryBody({ sessionId }))).toEqual({ batchItemFailures: [] });

      expect(deadLetters).toMatchObject([
        { MessageAttributes: { reason: { StringValue: 'record-too-large' } } },
      ]);
      expect(logged).toMatchObject([{ details: [{ reason: 'record-too-large', sessionId }] }]);
    });
  });
}

/** The message with this body as Lambda passes it on; its id is its place in the batch. */
function received(body: string, place: number): ReceivedMessage {
  const receivedAt = '2026-01-13T08:27:34.567Z';
  return carried(toMessage({ body, receivedAt, requestId: `request-${place}` }), String(place));
}
