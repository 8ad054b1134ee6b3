import { describe, expect, it } from 'vitest';
import { logExport } from '../../../functions/log-export/log-export.ts';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { virtualClock } from '../virtual-clock.ts';

const API_KEY = 'key-of-8x8-0123456789+/==';
const BASE_URL = 'https://voice.example';
const PERIOD = { from: new Date('2026-11-24T18:00:00.000Z'), to: new Date('2026-11-26T06:00:00Z') };
const LINK =
  'https://voice.example/api/v1/subaccounts/some_account/messages/download/T0KEN-of-the-download?sig=1';

type Reply = Response | Error;

/** A client that gets these replies, the last of them again and again. */
function client(...replies: Reply[]) {
  const { now, pause } = virtualClock();
  const requests: { method: string; url: string; body: string; authorization: string | null }[] = [];
  const api = logExport({
    baseUrl: BASE_URL,
    apiKey: API_KEY,
    now,
    pause,
    fetch: async (input, init) => {
      const { method, url, headers } = new Request(input, init);
      const body = String(init?.body ?? '');
      requests.push({ method, url, body, authorization: headers.get('Authorization') });
      const [reply] = replies.length > 1 ? replies.splice(0, 1) : replies;
      if (reply instanceof Response) return reply.clone();
      throw reply;
    },
  });
  return { requests, now, ...api };
}

const json = (body: unknown, status = 200, headers = {}) => Response.json(body, { status, headers });
const dropped = () => new TypeError('fetch failed', { cause: new Error('other side closed') });
const slow = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');

/** Each call of the client. */
const CALLS = {
  start: (api: ReturnType<typeof client>) => api.start('some_account', PERIOD),
  poll: (api: ReturnType<typeof client>) => api.poll('some_account', 'SecretJob1'),
};
const EACH = ['start', 'poll'] as const;

async function failureOf(promise: Promise<unknown>): Promise<LogExportError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof LogExportError) return error;
  throw new Error('expected a LogExportError', { cause: error });
}

describe('a start', () => {
  it('asks for the period in UTC without a limit, and returns the id of the job', async () => {
    const { start, requests } = client(json({ jobId: 'F1T6z9' }, 202));

    expect(await start('a.b&c', PERIOD)).toBe('F1T6z9');
    expect(requests).toEqual([
      {
        method: 'POST',
        url: 'https://voice.example/api/v1/subaccounts/a.b%26c/messages/exports',
        body: '{"from":"2026-11-24T18:00:00Z","to":"2026-11-26T06:00:00Z","limit":0}',
        authorization: `Bearer ${API_KEY}`,
      },
    ]);
  });

  it('starts another job if the response is lost', async () => {
    const { start, requests } = client(dropped(), json({ jobId: 42 }, 202));

    expect(await start('some_account', PERIOD)).toBe('42');
    expect(requests).toHaveLength(2);
  });

  it.each([
    ['no body', new Response(null, { status: 202 })],
    ['HTML', new Response('<html>', { status: 200 })],
    ['no id', json({})],
    ['an empty id', json({ jobId: '' })],
    ['an id that leaves its path', json({ jobId: '..' })],
    ['an id with control characters', json({ jobId: 'a\nb' })],
    ['a list', json(['F1T6z9'])],
  ])('fails if the response has %s', async (_, reply) => {
    expect(await failureOf(CALLS.start(client(reply)))).toMatchObject({
      kind: 'unexpected-answer',
      message:
        "8x8 did not return the id of a new job for the log export of sub-account some_account: the response is not JSON, or has another shape. Check that logExportUrl, https://voice.example, is the address of 8x8's log export.",
    });
  });
});

describe('a poll', () => {
  it('encodes the id of the job', async () => {
    const { poll, requests } = client(json({ status: 'queued' }));
    await poll('some_account', 'a/../b?c');

    expect(requests).toMatchObject([
      {
        method: 'GET',
        url: 'https://voice.example/api/v1/subaccounts/some_account/messages/exports/a%2F..%2Fb%3Fc',
      },
    ]);
  });

  it.each([
    [{ status: 'queued' }, { state: 'pending', status: 'queued' }],
    [
      { status: 'running', data: [LINK] },
      { state: 'pending', status: 'running' },
    ],
    [
      { status: 'Resting "https://x.example/t"' },
      { state: 'pending', status: "resting 'https://x.example/***'" },
    ],
    [{ status: 'x'.repeat(5_000) }, { state: 'pending', status: 'x'.repeat(50) }],
    [{ status: 'empty' }, { state: 'succeeded', links: [] }],
    [
      { status: 'succeeded', data: [LINK], expires: '2020-10-25T06:58:41.74Z' },
      { state: 'succeeded', links: [{ link: LINK, expires: '2020-10-25T06:58:41.740Z' }] },
    ],
    [
      { status: ' Succeeded ', data: [LINK, LINK] },
      { state: 'succeeded', links: [{ link: LINK, expires: undefined }] },
    ],
    [
      { status: 'succeeded', data: ['/download/1', LINK], expires: 'soon' },
      {
        state: 'succeeded',
        links: ['https://voice.example/download/1', LINK].map((link) => ({ link, expires: undefined })),
      },
    ],
  ])('reads %j', async (body, expected) => {
    expect(await CALLS.poll(client(json(body)))).toEqual(expected);
  });

  it.each(['failed', 'error', 'CANCELLED'])('fails if the job has the status %s', async (status) => {
    expect(await failureOf(CALLS.poll(client(json({ status }))))).toMatchObject({
      kind: 'job-failed',
      message: `8x8 reports the status ${status.toLowerCase()}`,
    });
  });

  it.each([[undefined], [null], [[]], [[7]], [[LINK, '']], [LINK], [['https://']], [{}]])(
    'counts a succeeded job with the links %j as failed',
    async (data) => {
      expect(await failureOf(CALLS.poll(client(json({ status: 'succeeded', data }))))).toMatchObject({
        kind: 'job-failed',
        message: '8x8 reports the status succeeded, but no usable links',
      });
    },
  );

  it.each([
    ['in the documented example', json({ code: 4018, message: 'Invalid jobId' }, 404)],
    ['in the documented schema', json({ statusCode: '4018', statusMessage: 'Invalid jobId' }, 404)],
    ['without a body', new Response(null, { status: 404 })],
    ['with another status', json({ code: '4018' }, 422)],
    ['as a resource that is gone', new Response(null, { status: 410 })],
  ])('reads a job that 8x8 does not know, %s', async (_, reply) => {
    expect(await failureOf(CALLS.poll(client(reply)))).toMatchObject({ kind: 'job-unknown' });
  });

  it.each([
    ['no body', new Response(null, { status: 200 })],
    ['HTML', new Response('<html>')],
    ['no status', json({ data: [LINK] })],
    ['a status that is a number', json({ status: 1 })],
    ['an empty status', json({ status: ' ' })],
  ])('fails if the response has %s', async (_, reply) => {
    const { kind, message } = await failureOf(CALLS.poll(client(reply)));

    expect(kind).toBe('unexpected-answer');
    expect(message).toContain('8x8 did not return the state of a job');
  });
});

describe('a failed call', () => {
  const ACTIONS = {
    start: 'start a log export',
    poll: 'return the state of a log export',
  };

  it.each(
    EACH.flatMap((call) =>
      (
        [
          [401, 'key-refused', 'secret that the setting apiKeySecretName names'],
          [403, 'access-refused', 'Check that the key belongs to the account of some_account'],
          [422, 'refused', '8x8 rejected the request'],
          [302, 'refused', 'Check that logExportUrl, https://voice.example, is the address'],
          [429, 'unavailable', 'Too many requests'],
          [500, 'unavailable', 'This is a fault at 8x8'],
          [503, 'unavailable', 'This is a fault at 8x8'],
        ] as const
      ).map(([status, kind, advice]) => ({ call, status, kind, advice })),
    ),
  )('($call) with $status is of the kind $kind, with advice', async ({ call, status, kind, advice }) => {
    const failure = await failureOf(CALLS[call](client(json({ code: 9, message: 'No' }, status))));

    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(
      `8x8 did not ${ACTIONS[call]} of sub-account some_account: HTTP ${status}, "No", code 9. `,
    );
    expect(failure.message).toContain(advice);
  });

  it('to start with 404 is of the kind unknown-subaccount', async () => {
    const { kind, message } = await failureOf(CALLS.start(client(new Response(null, { status: 404 }))));

    expect(kind).toBe('unknown-subaccount');
    expect(message).toContain('Check the spelling of some_account in subAccountIds');
  });

  it.each(EACH)('(%s) with a 200 that has the code of an error is of the kind unavailable', async (call) => {
    const reply = json({ statusCode: '1001', statusMessage: 'Simulated' });

    expect(await failureOf(CALLS[call](client(reply)))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('HTTP 200, "Simulated", code 1001'),
    });
  });

  it.each(
    EACH.flatMap((call) => [
      { call, fault: 'dropped', reply: dropped() },
      { call, fault: 'slow', reply: slow() },
      { call, fault: '500', reply: json({}, 500) },
    ]),
  )('($call, $fault) is tried three times', async ({ call, reply }) => {
    const api = client(reply);

    expect((await failureOf(CALLS[call](api))).kind).toBe('unavailable');
    expect(api.requests).toHaveLength(3);
  });

  it.each(EACH)('(%s) because of a rate limit is tried for up to a minute', async (call) => {
    const api = client(json({}, 429, { 'Retry-After': '20' }));

    expect((await failureOf(CALLS[call](api))).kind).toBe('unavailable');
    expect(api.requests).toHaveLength(3);
    expect(api.now()).toBeLessThan(60_000);
  });

  it.each(EACH)('(%s) never shows a key, a job, a link or a phone number', async (call) => {
    const message = `Bearer ${API_KEY}, job SecretJob1, ${LINK}, from +6591178965 to 6568332048`;
    const api = client(json({ code: 1, message, errorId: '01234567-fffe-ea11-8277-001550004567' }, 422));
    const error = await failureOf(CALLS[call](api));
    const shown = `${error.message} ${error.stack}`;

    expect(shown).toContain('https://voice.example/***');
    expect(shown).toContain('from *** to ***');
    expect(shown).toContain('errorId 01234567-fffe-ea11-8277-001550004567');
    expect(shown).not.toMatch(/key-of-8x8|T0KEN|sig=1|6591178965|6568332048/);
    expect(shown).not.toContain(call === 'start' ? API_KEY : 'SecretJob1');
    expect(error.cause).toBeUndefined();
  });
});
