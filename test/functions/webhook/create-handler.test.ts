import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../functions/authorization/digest.ts';
import { fromMessage, type Message } from '../../../functions/queue/message.ts';
import { createHandler } from '../../../functions/webhook/create-handler.ts';
import { MAX_BODY_BYTES, type Request } from '../../../functions/webhook/receive.ts';
import { carried } from '../queue/carried.ts';
import { example, summaryBody } from '../summaries.ts';
import { telemetry } from '../telemetry.ts';

const AUTHORIZATION = 'the-current-value';
const REQUEST_ID = '0e0e5c0c-1b1f-4b3c-9c55-5f1f3a9f6b10';

function webhook() {
  const sent: { queueUrl: string; message: Message }[] = [];
  const seen = telemetry();
  const handle = createHandler({
    queueUrl: 'queue',
    deadLetterQueueUrl: 'dead-letters',
    authorizationDigests: [digestOf(AUTHORIZATION)],
    subAccountIds: ['8x8_test', 'wavecell_voice'],
    send: async (queueUrl, message) => {
      sent.push({ queueUrl, message });
    },
    ...seen,
  });
  return { handle, sent, ...seen };
}

function request(
  body: string | Buffer,
  headers: Record<string, string> = { Authorization: AUTHORIZATION },
): Request {
  return {
    headers,
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: REQUEST_ID, requestTimeEpoch: Date.UTC(2026, 0, 13, 8, 27, 34, 567) },
  };
}

const body = summaryBody();

/** The requests that the HTTP contract rejects, the problem in the response, and whether the body is kept. */
const CONTRACT = [
  { status: 400, name: 'invalid-json', given: request('{"eventType":'), kept: true },
  { status: 400, name: 'invalid-json', given: request(Buffer.from([0x7b, 0xff, 0x7d])), kept: true },
  { status: 400, name: 'invalid-json', given: request(''), kept: false },
  { status: 401, name: 'unauthorized', given: request(body, {}), kept: false },
  { status: 401, name: 'unauthorized', given: request(body, { Authorization: 'guess' }), kept: false },
  { status: 401, name: 'unauthorized', given: request(body, { Authorization: '' }), kept: false },
  { status: 413, name: 'payload-too-large', given: request(' '.repeat(MAX_BODY_BYTES + 1)), kept: false },
  {
    status: 413,
    name: 'payload-too-large',
    given: request(gzipSync(' '.repeat(MAX_BODY_BYTES + 1))),
    kept: false,
  },
  {
    status: 401,
    name: 'unauthorized',
    given: request(gzipSync(' '.repeat(MAX_BODY_BYTES + 1)), {}),
    kept: false,
  },
  { status: 400, name: 'invalid-json', given: request(gzipSync(body).subarray(0, 50)), kept: true },
  { status: 400, name: 'invalid-json', given: request(gzipSync('no JSON')), kept: true },
  { status: 400, name: 'invalid-json', given: request(gzipSync('')), kept: false },
  { status: 422, name: 'unsupported-event', given: request('{"eventType":"CALL_ACTION"}'), kept: false },
  { status: 422, name: 'unsupported-event', given: request('{"eventType":"CALL_STATUS"}'), kept: false },
  {
    status: 422,
    name: 'unsupported-event',
    given: request('{"eventType":"CALL_RECORDING_STATUS"}'),
    kept: false,
  },
  {
    status: 422,
    name: 'unsupported-event',
    given: request('{"eventType":"VIRTUAL_NUMBER_UPDATE"}'),
    kept: false,
  },
  { status: 422, name: 'invalid-summary', given: request(summaryBody({ sessionId: undefined })), kept: true },
  { status: 422, name: 'invalid-summary', given: request('{"eventType":"SOMETHING_NEW"}'), kept: true },
  { status: 422, name: 'invalid-summary', given: request('[]'), kept: true },
  {
    status: 422,
    name: 'unknown-subaccount',
    given: request(summaryBody({ subAccountId: 'other' })),
    kept: true,
  },
] as const;

describe('the HTTP contract', () => {
  it('answers 200 with the session id, for each published example', async () => {
    for (const name of ['ivr-answered', 'voice-messaging-error', 'number-masking-answered']) {
      const { handle, sent } = webhook();

      const response = await handle(request(example(name)));

      expect(response.statusCode).toBe(200);
      expect(response.headers).toEqual({ 'Content-Type': 'application/json' });
      expect(JSON.parse(response.body)).toEqual({
        status: 'accepted',
        sessionId: JSON.parse(example(name)).payload.sessionId,
      });
      expect(sent).toHaveLength(1);
    }
  });

  it.each(CONTRACT)(
    'answers with the problem $status $name (keeps the body: $kept)',
    async ({ status, name, given, kept }) => {
      const { handle, sent, counted, dimensions } = webhook();

      const response = await handle(given);

      expect(response.statusCode).toBe(status);
      expect(response.headers).toEqual({ 'Content-Type': 'application/problem+json' });
      expect(JSON.parse(response.body)).toMatchObject({
        type: `urn:problem:vss-webhook:${name}`,
        title: expect.any(String),
        status,
        detail: expect.any(String),
        requestId: REQUEST_ID,
      });
      expect(sent.map(({ queueUrl }) => queueUrl)).toEqual(kept ? ['dead-letters'] : []);
      expect(counted).toEqual({ DeliveriesRejected: 1 });
      expect(dimensions).toEqual({ reason: name });
    },
  );

  it.each([
    [
      'an empty body',
      '',
      'The body is empty, and was not kept. Send one Voice Session Summary as a JSON object.',
    ],
    [
      'an empty gzip body',
      gzipSync(''),
      'The body is empty, and was not kept. Send one Voice Session Summary as a JSON object.',
    ],
    [
      'another body',
      '{',
      'It is not JSON in UTF-8, or has more than 2000 keys. Send one Voice Session Summary as a JSON object.',
    ],
  ])('says of %s what is wrong with it', async (_, given, detail) => {
    expect(JSON.parse((await webhook().handle(request(given))).body)).toMatchObject({
      title: 'The body is not acceptable JSON',
      detail,
    });
  });

  it('checks size, authorization, JSON, event type, schema and sub-account, in this order', async () => {
    const { handle } = webhook();
    const answerTo = async (given: Request) =>
      JSON.parse((await handle(given)).body)
        .type.split(':')
        .pop();

    expect(await answerTo(request('{'.repeat(MAX_BODY_BYTES + 1), {}))).toBe('payload-too-large');
    expect(await answerTo(request('{', {}))).toBe('unauthorized');
    expect(await answerTo(request('{'))).toBe('invalid-json');
    expect(await answerTo(request('{"eventType":"CALL_ACTION","payload":5}'))).toBe('unsupported-event');
    expect(await answerTo(request(summaryBody({ subAccountId: 'other', sessionId: 'no id' })))).toBe(
      'invalid-summary',
    );
    expect(await answerTo(request(summaryBody({ subAccountId: 'other' })))).toBe('unknown-subaccount');
  });

  it.each([
    ['is compressed with gzip', { 'Content-Encoding': 'gzip' }, gzipSync(body)],
    ['is compressed with gzip, but has no Content-Encoding', {}, gzipSync(body)],
    ['has two gzip members', {}, Buffer.concat([gzipSync(body.slice(0, 9)), gzipSync(body.slice(9))])],
    [
      'has the Content-Encoding gzip, but is not compressed',
      { 'Content-Encoding': 'gzip' },
      Buffer.from(body),
    ],
  ])('accepts a body that %s, and queues it decompressed', async (_, headers, given) => {
    const { handle, sent } = webhook();

    const response = await handle(request(given, { Authorization: AUTHORIZATION, ...headers }));

    expect(response.statusCode).toBe(200);
    expect(sent).toMatchObject([{ queueUrl: 'queue', message: { MessageBody: body } }]);
  });

  it('keeps a damaged gzip body byte for byte', async () => {
    const { handle, sent } = webhook();
    const damaged = gzipSync(body).subarray(0, 50);

    await handle(request(damaged));

    expect(sent.map(({ message }) => fromMessage(carried(message)).body)).toEqual([damaged]);
  });

  it('masks a session id that is a phone number in the log', async () => {
    const { handle, metadata } = webhook();

    const response = await handle(request(summaryBody({ sessionId: '+6591178965' })));

    expect(JSON.parse(response.body)).toMatchObject({ sessionId: '+6591178965' });
    expect(metadata).toMatchObject({ sessionId: '+********65' });
  });

  it('accepts a body of exactly 256 KiB, and counts bytes, not characters', async () => {
    const { handle } = webhook();
    const padded = (filler: string) => `${body.slice(0, -1)},"x":"${filler}"}`;
    const room = MAX_BODY_BYTES - Buffer.byteLength(padded(''));

    expect((await handle(request(padded('a'.repeat(room))))).statusCode).toBe(200);
    expect((await handle(request(padded(`${'a'.repeat(room - 1)}é`)))).statusCode).toBe(413);
  });

  it('lists the path and the expectation of each issue, and quotes nothing from the body', async () => {
    const { handle, sent } = webhook();

    const response = await handle(
      request(summaryBody({ sessionId: 'SECRET 1', subAccountId: { number: '+6591178965' } })),
    );

    expect(JSON.parse(response.body).issues).toEqual([
      { path: 'payload.sessionId', message: 'expected 1 to 128 printable ASCII characters' },
      { path: 'payload.subAccountId', message: 'expected 1 to 128 printable ASCII characters' },
    ]);
    expect(response.body).not.toMatch(/SECRET|6591178965/);
    expect(sent[0]?.message.MessageAttributes).toMatchObject({
      reason: { StringValue: 'invalid-summary' },
      issues: { StringValue: JSON.stringify(JSON.parse(response.body).issues) },
    });
  });
});

describe('the Authorization value', () => {
  it.each(['Authorization', 'authorization', 'AUTHORIZATION'])(
    'is read from the header %s',
    async (header) => {
      const { handle } = webhook();

      expect((await handle(request(body, { [header]: AUTHORIZATION }))).statusCode).toBe(200);
    },
  );
});

describe('the log of a delivery', () => {
  it('is the line of the metric alone, with the session, the sub-account and the request', async () => {
    const { handle, metadata, published, logged } = webhook();

    await handle(request(body));

    expect(published).toEqual([{ DeliveriesAccepted: 1 }]);
    expect(metadata).toEqual({
      sessionId: JSON.parse(body).payload.sessionId,
      subAccountId: '8x8_test',
      requestId: REQUEST_ID,
    });
    expect(logged).toEqual([]);
  });

  it('has only the request id when the delivery is not authorized', async () => {
    const { handle, metadata, published } = webhook();

    await handle(request(body, {}));

    expect(published).toEqual([{ DeliveriesRejected: 1 }]);
    expect(metadata).toEqual({ requestId: REQUEST_ID });
  });
});

describe('the queued message', () => {
  it('has the body byte for byte, the time of receipt and the request id', async () => {
    const { handle, sent } = webhook();
    const spaced = ` ${JSON.stringify(JSON.parse(body), null, 4)}\r\n`;

    await handle(request(spaced));

    expect(sent).toEqual([
      {
        queueUrl: 'queue',
        message: {
          MessageBody: spaced,
          MessageAttributes: {
            receivedAt: { DataType: 'String', StringValue: '2026-01-13T08:27:34.567Z' },
            requestId: { DataType: 'String', StringValue: REQUEST_ID },
          },
        },
      },
    ]);
  });

  it('has the body that API Gateway passes as text', async () => {
    const { handle, sent } = webhook();

    await handle({ ...request(''), body, isBase64Encoded: false });

    expect(sent[0]?.message.MessageBody).toBe(body);
  });
});
