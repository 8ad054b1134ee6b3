import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../../functions/voice-api/call-failure.ts';
import { retryingCall } from '../../../functions/voice-api/retrying-call.ts';
import { virtualClock } from '../virtual-clock.ts';

/** The tests of the Webhooks API's client (`registration/webhooks-api.test.ts`) cover retries and messages in detail. */

const API_KEY = 'key-of-8x8-0123456789+/==';
type Reply = Response | Error;

/** A client that gets these replies, the last of them again and again. `retryMs` applies to each call. */
function client(replies: Reply[], retryMs = 60_000) {
  const { now, pause } = virtualClock();
  const requests: { url: string; init: RequestInit | undefined; at: number }[] = [];
  const call = retryingCall({
    baseUrl: 'https://voice.example',
    apiKey: API_KEY,
    now,
    pause,
    retryUntil: (calledAt) => calledAt + retryMs,
    errorOf: (failure) =>
      new Error(describeFailure(failure, { action: 'change the thing', urlSetting: 'someApiUrl' })),
    fetch: async (input, init) => {
      requests.push({ url: String(input), init, at: now() });
      const [reply] = replies.length > 1 ? replies.splice(0, 1) : replies;
      if (reply instanceof Response) return reply.clone();
      throw reply;
    },
  });
  return { requests, call, pause };
}

const json = (body: unknown, status = 200, headers = {}) => Response.json(body, { status, headers });

describe('a call', () => {
  it('sends the key, the encoded sub-account, the path and the body', async () => {
    const { call, requests } = client([json({ jobId: 'j' }, 202)]);

    expect(
      await call({ method: 'POST', subAccountId: 'a.b&c', path: '/things?x=%20', body: { limit: 0 } }),
    ).toEqual({ jobId: 'j' });
    expect(requests).toMatchObject([
      {
        url: 'https://voice.example/api/v1/subaccounts/a.b%26c/things?x=%20',
        init: {
          method: 'POST',
          body: '{"limit":0}',
          headers: { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' },
        },
      },
    ]);
  });

  it('resolves with undefined if the response has no body', async () => {
    const { call } = client([new Response(null, { status: 204 })]);

    expect(await call({ method: 'DELETE', subAccountId: 'some_account', path: '/things' })).toBeUndefined();
  });

  it('sends at most four requests per second', async () => {
    const { call, requests } = client([json({})]);
    for (let i = 0; i < 8; i++) await call({ method: 'GET', subAccountId: 'some_account', path: '/things' });

    expect(requests.at(-1)?.at).toBe(1_750);
  });

  it('is retried within its own time, however long ago the client was created', async () => {
    const { call, requests, pause } = client([json({}, 503), json({}, 429), json({ a: 1 })]);
    await pause(3_600_000);

    expect(await call({ method: 'GET', subAccountId: 'some_account', path: '/things' })).toEqual({ a: 1 });
    expect(requests).toHaveLength(3);
  });

  it('is not retried beyond its time', async () => {
    const { call, requests } = client([json({}, 429, { 'Retry-After': '51' })]);

    await expect(call({ method: 'GET', subAccountId: 'some_account', path: '/things' })).rejects.toThrow(
      'Too many requests: 8x8 asks to wait 51 seconds.',
    );
    expect(requests).toHaveLength(1);
  });
});

describe('the error of a failed call', () => {
  it('names what the call should have done, and the setting to check', async () => {
    const { call } = client([json({ code: 1, message: 'No', errorId: 'e' }, 404)]);

    await expect(call({ method: 'GET', subAccountId: 'some_account', path: '/things' })).rejects.toThrow(
      `8x8 did not change the thing of sub-account some_account: HTTP 404, "No", code 1, errorId e. 8x8 does not know this sub-account. Check the spelling of some_account in subAccountIds, including upper and lower case, that it is a Voice sub-account, and that someApiUrl, https://voice.example, is correct.`,
    );
  });

  it('masks the key, the secrets of the request, and the paths of URLs', async () => {
    const message = `Bearer ${API_KEY} of s3cret at https://u:p@voice.example/download/T0KEN?sig=1`;
    const { call } = client([json({ statusCode: '9', statusMessage: message }, 400)]);

    await expect(
      call({ method: 'POST', subAccountId: 'some_account', path: '', body: {}, secrets: ['s3cret'] }),
    ).rejects.toThrow('HTTP 400, "Bearer *** of *** at https://voice.example/***", code 9.');
  });

  it('gives the reason if there is no response', async () => {
    const { call, requests } = client([
      new TypeError('fetch failed', { cause: new Error('other side closed') }),
    ]);

    await expect(call({ method: 'GET', subAccountId: 'some_account', path: '' })).rejects.toThrow(
      'the connection failed: other side closed. Check that someApiUrl, https://voice.example, is correct',
    );
    expect(requests).toHaveLength(3);
  });
});
