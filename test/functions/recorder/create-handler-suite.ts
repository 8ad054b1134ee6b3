import { ThrottlingException } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fromMessage, type Message, toMessage } from '../../../functions/queue/message.ts';
import type { BatchMessage } from '../../../functions/recorder/batch-message.ts';
import { createHandler } from '../../../functions/recorder/create-handler.ts';
import { RecordTooLargeError, type SessionTable } from '../../../functions/recorder/session-table.ts';
import { sessionEvent } from '../../../functions/vss/session-event.ts';
import { carried } from '../queue/carried.ts';
import { example, summaryBody } from '../summaries.ts';
import { telemetry } from '../telemetry.ts';
import { receivedAgain } from './batch-messages.ts';
import { emulatedTable } from './emulated-table.ts';

/** Tests the recorder on the DynamoDB emulator at this URL. */
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

    /** A recorder on the emulated table, with some operations replaced. */
    function recorder({
      table = {},
      sendToDeadLetters = async () => {},
      changeVisibility = async () => {},
    }: {
      table?: Partial<SessionTable>;
      sendToDeadLetters?: (message: Message) => Promise<unknown>;
      changeVisibility?: (message: BatchMessage, seconds: number) => Promise<void>;
    } = {}) {
      const deadLetters: Message[] = [];
      /** The visibility timeouts that the recorder requested. */
      const hidden: [receiptHandle: string, seconds: number][] = [];
      const seen = telemetry();
      const handle = createHandler({
        table: { ...emulator.table, ...table },
        sendToDeadLetters: async (message) => {
          await sendToDeadLetters(message);
          deadLetters.push(message);
        },
        // Two seconds after the time of receipt of every delivery.
        now: () => Date.parse('2026-01-13T08:27:36.567Z'),
        changeVisibility: async (message, seconds) => {
          hidden.push([message.receiptHandle, seconds]);
          await changeVisibility(message, seconds);
        },
        eventOf: (before, after) => sessionEvent(before, after, { phoneNumbers: false }),
        ...seen,
      });
      return {
        record: (...bodies: string[]) => handle({ Records: bodies.map(received) }),
        /** Records a message with an earlier receive. */
        recordAgain: (body: string, receives: number) =>
          handle({ Records: [receivedAgain(received(body, 0), { receives })] }),
        handle,
        deadLetters,
        hidden,
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

    it('counts sessions by status, including unknown ones, and measures the recording lag', async () => {
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

    it('records a summary without a status or a time, and counts it as incomplete', async () => {
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

    it('indexes an unsuccessful session without an end time by its time of receipt', async () => {
      const { record } = recorder();
      const sessionId = newSession();

      await record(summaryBody({ sessionId, sessionStatus: 'ERROR', endTime: null }));

      expect(await emulator.unsuccessfulIn('8x8_test')).toContainEqual(
        expect.objectContaining({ sessionId, unsuccessfulAt: '2026-01-13T08:27:34.567Z' }),
      );
    });

    it('does not record a delivery of an erased session, and counts it', async () => {
      const { record, counted, deadLetters } = recorder();
      const tombstone = { sessionId: newSession(), erasedAt: '2026-12-01T00:00:00.000Z' };
      await emulator.put(tombstone);

      expect(await record(summaryBody({ sessionId: tombstone.sessionId }))).toEqual({
        batchItemFailures: [],
      });

      expect(await itemOf(tombstone.sessionId)).toEqual(tombstone);
      expect(counted).toEqual({ ErasedDeliveries: 1 });
      expect(deadLetters).toEqual([]);
    });

    it('does not restore a session that is erased between reading and replacing its record', async () => {
      const tombstone = { sessionId: newSession(), erasedAt: '2026-12-01T00:00:00.000Z' };
      const { record } = recorder({
        table: {
          async read(sessionId) {
            const stored = await emulator.table.read(sessionId);
            await emulator.put(tombstone);
            return stored;
          },
        },
      });
      await record(summaryBody({ sessionId: tombstone.sessionId }));

      await record(summaryBody({ sessionId: tombstone.sessionId, sessionStatus: 'BUSY' }));

      expect(await itemOf(tombstone.sessionId)).toEqual(tombstone);
    });

    it('treats the same payload with other envelope fields as a duplicate', async () => {
      const { record, counted } = recorder();
      const sessionId = newSession();

      for (const eventId of ['first', 'second', 'third'])
        await record(summaryBody({ sessionId }, { eventId, timestamp: new Date().toISOString() }));

      expect(counted).toMatchObject({ SessionsRecorded: 1, DuplicateDeliveries: 2 });
      expect(await itemOf(sessionId)).toMatchObject({ revision: 1, unrecognised: { eventId: 'first' } });
    });

    it('replaces a reconstruction by the first delivered summary, which is no conflict', async () => {
      const { handle, record, counted, countedBy, measured } = recorder();
      const sessionId = newSession();
      const reconstruct = (callCount: number, receivedAt: string) =>
        handle({
          Records: [
            carried(
              toMessage({
                body: summaryBody({ sessionId, callCount, sessionStatus: 'BUSY' }),
                receivedAt,
                requestId: 'request',
                reconstructedFrom: 'log-export',
              }),
            ),
          ],
        });

      await reconstruct(1, '2026-01-13T08:00:00.000Z');
      expect(await itemOf(sessionId)).toMatchObject({ reconstructedFrom: 'log-export', callCount: 1 });
      await reconstruct(2, '2026-01-13T08:01:00.000Z');
      expect(await itemOf(sessionId)).toMatchObject({ reconstructedFrom: 'log-export', callCount: 2 });
      expect(counted).toEqual({ ReconciledSessions: 1 });
      expect(measured).toEqual([]);

      await record(summaryBody({ sessionId }));
      const delivered = await itemOf(sessionId);
      await reconstruct(3, '2026-01-13T08:02:00.000Z');

      expect(await itemOf(sessionId)).toEqual(delivered);
      expect(delivered).toMatchObject({ sessionStatus: 'COMPLETED' });
      expect(delivered).not.toHaveProperty('reconstructedFrom');
      expect(delivered).not.toHaveProperty('alternates');
      expect(delivered).not.toHaveProperty('unsuccessfulIn');
      expect(counted).toEqual({ ReconciledSessions: 1, SessionsRecorded: 1, UnrecognisedFields: 0 });
      expect(countedBy).toEqual({ 'SessionsRecorded sessionStatus=COMPLETED': 1 });
    });

    it('keeps the newest of conflicting summaries that exceed the size of a record, and dead-letters the oldest', async () => {
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

    it('detects a duplicate with two requests and changes nothing', async () => {
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

    it.each(SAME_CONTENT)(
      'treats a payload that differs only by %s as a duplicate',
      async (_, first, again) => {
        const { record, counted } = recorder();
        const sessionId = newSession();
        await record(summaryBody({ ...PUBLISHED, ...first, sessionId }));
        const before = await itemOf(sessionId);

        await record(summaryBody({ ...PUBLISHED, ...again, sessionId }));
        await record(summaryBody({ ...PUBLISHED, ...first, sessionId }));

        expect(counted).toEqual({ SessionsRecorded: 1, DuplicateDeliveries: 2, UnrecognisedFields: 0 });
        expect(before).toHaveProperty('event');
        expect(await itemOf(sessionId)).toEqual(before);
      },
    );

    it('keeps a conflicting summary of a session as an alternate, with three requests', async () => {
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
          message: 'Recorded a conflicting summary of a session',
          details: [{ sessionId, subAccountId: '8x8_test', digest: item?.['digest'] }],
        },
      ]);
    });

    it('publishes its metrics once per batch', async () => {
      const { record, published } = recorder();

      await record(summaryBody({ sessionId: newSession() }), summaryBody({ sessionId: newSession() }));

      expect(published).toEqual([{ SessionsRecorded: 2, UnrecognisedFields: 0 }]);
    });

    it('counts unrecognised fields once per summary', async () => {
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

    it('reports only the failed message of a batch of ten', async () => {
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
          level: 'warn',
          message: 'Recording failed; the queue will redeliver the message',
          details: [{ messageId: '3', receives: 1, error: new Error('throttled') }],
        },
      ]);
      const stored = (await emulator.items()).map((item) => item['sessionId']);
      expect(ids.filter((id) => stored.includes(id))).toEqual(ids.filter((id) => id !== ids[3]));
    });

    it('moves invalid messages to the dead-letter queue immediately, and records the others', async () => {
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
        message: 'The delivery cannot be recorded; moved to the dead-letter queue',
        details: [{ requestId: 'request-0', reason: 'invalid-json' }],
      });
      expect(await itemOf(sessionId)).toBeDefined();
    });

    it('leaves an invalid message in the queue when it cannot be sent to the dead-letter queue', async () => {
      const { record } = recorder({ sendToDeadLetters: () => Promise.reject(new Error('no answer')) });

      expect(await record('{')).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
    });

    it('moves a message whose record is too large to the dead-letter queue', async () => {
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

    describe('after a transient fault', () => {
      const throttled = () =>
        Promise.reject(new ThrottlingException({ message: 'Slow down', $metadata: {} }));

      it('hides only the failed message, longer after each receive, and leaves it in the queue', async () => {
        const ids = [newSession(), newSession()];
        const { record, recordAgain, hidden, deadLetters } = recorder({
          table: { add: (added) => (added.sessionId === ids[0] ? throttled() : emulator.table.add(added)) },
        });
        const [failing = '', other = ''] = ids.map((sessionId) => summaryBody({ sessionId }));

        expect(await record(failing, other)).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
        for (const receives of [2, 5, 19])
          expect(await recordAgain(failing, receives)).toEqual({
            batchItemFailures: [{ itemIdentifier: '0' }],
          });

        expect(hidden).toEqual([
          ['handle-0', 60],
          ['0 2', 120],
          ['0 5', 960],
          ['0 19', 3_600],
        ]);
        expect(deadLetters).toEqual([]);
      });

      it('counts and logs the failure once, without the body', async () => {
        const { recordAgain, counted, logged } = recorder({ table: { add: throttled } });

        await recordAgain(summaryBody({ sessionId: newSession() }), 3);

        expect(counted).toEqual({ RecordsFailed: 1 });
        expect(logged).toEqual([
          {
            level: 'warn',
            message: 'Recording failed; the queue will redeliver the message',
            details: [{ messageId: '0', receives: 3, error: expect.any(ThrottlingException) }],
          },
        ]);
      });

      it('falls back to the visibility timeout of the queue when SQS fails to hide the message, and logs why', async () => {
        const { recordAgain, logged } = recorder({
          table: { add: throttled },
          changeVisibility: () => Promise.reject(new Error('no answer')),
        });

        expect(await recordAgain(summaryBody({ sessionId: newSession() }), 1)).toEqual({
          batchItemFailures: [{ itemIdentifier: '0' }],
        });
        expect(logged).toMatchObject([
          { details: [{ error: expect.any(ThrottlingException), queueError: new Error('no answer') }] },
        ]);
      });

      it('hides an invalid message too, if the dead-letter queue has the fault', async () => {
        const { recordAgain, hidden } = recorder({ sendToDeadLetters: throttled });

        expect(await recordAgain('{', 7)).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
        expect(hidden).toEqual([['0 7', 3_600]]);
      });
    });

    describe('after an unexpected error', () => {
      const broken = () => Promise.reject(new TypeError('a bug'));

      it('retries after the visibility timeout, and dead-letters the message at the fifth receive', async () => {
        const body = ` ${summaryBody({ sessionId: newSession() })}\r\n`;
        const { recordAgain, deadLetters, hidden, counted, countedBy, logged } = recorder({
          table: { add: broken },
        });

        for (const receives of [1, 2, 3, 4])
          expect(await recordAgain(body, receives)).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
        expect(deadLetters).toEqual([]);
        expect(await recordAgain(body, 5)).toEqual({ batchItemFailures: [] });

        expect(hidden).toEqual([]);
        expect(deadLetters).toEqual([
          toMessage(fromMessage(received(body, 0)), { reason: 'recording-failed' }),
        ]);
        expect(deadLetters[0]?.MessageBody).toBe(body);
        expect(counted).toEqual({ RecordsFailed: 5, DeadLettered: 1 });
        expect(countedBy).toEqual({ 'DeadLettered reason=recording-failed': 1 });
        expect(logged).toHaveLength(5);
        expect(logged.at(-1)).toEqual({
          level: 'warn',
          message: 'Recording failed too often; moved to the dead-letter queue',
          details: [{ messageId: '0', receives: 5, error: new TypeError('a bug') }],
        });
      });

      it('leaves the message in the queue when it cannot be sent to the dead-letter queue, and logs why', async () => {
        const { recordAgain, counted, logged } = recorder({
          table: { add: broken },
          sendToDeadLetters: () => Promise.reject(new Error('no answer')),
        });

        expect(await recordAgain(summaryBody({ sessionId: newSession() }), 5)).toEqual({
          batchItemFailures: [{ itemIdentifier: '0' }],
        });
        expect(counted).toEqual({ RecordsFailed: 1 });
        expect(logged).toMatchObject([
          { details: [{ error: new TypeError('a bug'), queueError: new Error('no answer') }] },
        ]);
      });
    });

    it('releases all other messages before it attempts one that may have killed the function', async () => {
      const ids = ['killer', 'bystander'].map((name) => `${name}-${newSession()}`);
      const [killer = '', bystander = ''] = ids.map((sessionId) => summaryBody({ sessionId }));
      const order: string[] = [];
      const { handle, counted } = recorder({
        table: {
          add: async ({ sessionId }) => {
            order.push(sessionId);
            return true;
          },
        },
        changeVisibility: async ({ messageId }, seconds) => {
          order.push(`${messageId} hidden for ${seconds}`);
        },
      });

      const response = await handle({
        Records: [
          received(bystander, 0),
          receivedAgain(received(killer, 1), {
            receives: 6,
            firstReceivedAt: Date.parse('2026-01-13T08:11:00Z'),
          }),
        ],
      });

      expect(order).toEqual(['0 hidden for 0', ids[0]]);
      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
      expect(counted).toEqual({ SessionsRecorded: 1, UnrecognisedFields: 0 });
    });

    it('reports a message that it could not release as failed', async () => {
      const { handle } = recorder({ changeVisibility: () => Promise.reject(new Error('no answer')) });
      const suspect = receivedAgain(received(summaryBody({ sessionId: newSession() }), 1), {
        receives: 6,
        firstReceivedAt: Date.parse('2026-01-13T08:11:00Z'),
      });

      expect(await handle({ Records: [received('{', 0), suspect] })).toEqual({
        batchItemFailures: [{ itemIdentifier: '0' }],
      });
    });
  });
}

/** The payload of the first published example, and one of its legs. */
const PUBLISHED = JSON.parse(example('ivr-answered')).payload;
const { callQuality: _, ...LEG } = PUBLISHED.details.callA;

const withLeg = (fields: object) => ({ details: { callA: { ...LEG, ...fields } } });

/** Two sets of fields of a payload with the same content. */
const SAME_CONTENT: [difference: string, first: object, again: object][] = [
  ['empty error details', {}, { errorDetails: {} }],
  ['an error code that is null', {}, { errorDetails: { errorCode: null } }],
  ['the text "null" as error message', {}, { ErrorDetails: { errorCode: '', errorMsg: 'null' } }],
  ['empty details', { details: null }, { details: {} }],
  ['a leg that is null', { details: null }, { details: { callA: null } }],
  ['empty call quality', withLeg({}), withLeg({ callQuality: {} })],
  ['a MOS that is null', withLeg({}), withLeg({ callQuality: { mos: null, jitter: '' } })],
  ['empty error details of a leg', withLeg({}), withLeg({ errorDetails: {}, destinationRefId: 'Null' })],
];

/** The message with this body as Lambda receives it. Its id is its place in the batch. */
function received(body: string, place: number): BatchMessage {
  const receivedAt = '2026-01-13T08:27:34.567Z';
  return carried(toMessage({ body, receivedAt, requestId: `request-${place}` }), String(place));
}
