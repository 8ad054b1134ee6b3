import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RETRY_MS, webhooksApi } from '../../../functions/registration/webhooks-api.ts';
import type { Fault } from '../../../infra/local/fake-8x8/switches.ts';
import { virtualClock } from '../virtual-clock.ts';
import { API_KEY, inMemory8x8 } from './in-memory-8x8.ts';

const WEBHOOK = { type: 'VSS', url: 'https://api.example/vss', enabled: true, httpAuthHeader: 'some value' };
const AUTHORIZATION = 'authorization-to-be-kept-secret';

const COMMON = { baseUrl: 'https://voice.example', apiKey: API_KEY };

/** A client of the fake 8x8, which has these faults, on a virtual clock. */
function client(faults: Fault[] = [], subAccountId = 'some_account') {
  const { api, fetch, now, pause } = inMemory8x8([subAccountId]);
  api.webhooks.set(subAccountId, [{ ...WEBHOOK, type: 'VCA' }, WEBHOOK]);
  api.switches.faults = faults;
  return { api, now, ...webhooksApi({ ...COMMON, fetch, now, pause }) };
}

/** A client that gets exactly this response to every request. `at` has the times of the requests. */
function answered(body: string | ReadableStream | null, init?: ResponseInit, retryMs?: number) {
  const { now, pause } = virtualClock();
  const requests: RequestInit[] = [];
  const at: number[] = [];
  const fetch = async (_: unknown, request?: RequestInit) => {
    requests.push(request ?? {});
    at.push(now());
    return new Response(body, init);
  };
  return { requests, at, ...webhooksApi({ ...COMMON, ...(retryMs && { retryMs }), fetch, now, pause }) };
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );
}

describe('the list of webhooks', () => {
  it('contains the webhooks of the type VSS', async () => {
    expect(await client().list('some_account')).toEqual([
      { url: 'https://api.example/vss', enabled: true, hasAuthorization: true },
    ]);
  });

  it.each([
    ['a count of 0 and an empty list', { count: 0, webhooks: [] }, []],
    ['a count of 0 and no list', { count: 0 }, []],
    ['an empty list and no count', { webhooks: [] }, []],
    ['only a statusCode of 0', { statusCode: 0 }, []],
    ['a count in text and null as the list', { count: '0', webhooks: null }, []],
    [
      '"active" instead of "enabled"',
      { webhooks: [{ type: 'VSS', url: 'u', active: false, httpAuthHeaderAvailable: true }] },
      [{ url: 'u', enabled: false, hasAuthorization: true }],
    ],
    [
      'neither "enabled", which means enabled, nor "httpAuthHeaderAvailable"',
      { webhooks: [{ type: 'vss', url: 'u' }] },
      [{ url: 'u', enabled: true, hasAuthorization: false }],
    ],
    [
      'booleans as text',
      { webhooks: [{ type: 'VSS', url: 'u', enabled: 'False', httpAuthHeaderAvailable: 'true' }] },
      [{ url: 'u', enabled: false, hasAuthorization: true }],
    ],
    [
      'malformed webhooks of other types',
      {
        webhooks: [
          { type: 'VCS', enabled: 'on', url: 5 },
          { type: 7 },
          { url: 'v' },
          'VSS',
          null,
          { type: 'VSS', url: 'u' },
        ],
      },
      [{ url: 'u', enabled: true, hasAuthorization: false }],
    ],
    [
      'a webhook without a URL',
      { webhooks: [{ type: 'VSS', url: null }] },
      [{ url: '', enabled: true, hasAuthorization: false }],
    ],
  ])('is parsed from a response with %s', async (_, body, expected) => {
    expect(await answered(JSON.stringify(body)).list('some_account')).toEqual(expected);
  });

  it.each([
    ['no body', null],
    ['a body that is not JSON', '<html>'],
    ['no list, but a count above 0', '{"count":1}'],
    ['an empty list, but a count above 0', '{"count":"1","webhooks":[]}'],
    ['fewer webhooks than its count', '{"count":2,"webhooks":[{"type":"VCS"}]}'],
    ['an empty object', '{}'],
    ['an object instead of a list', '{"webhooks":{"VSS":"u"}}'],
    ['a webhook whose URL is not a string', '{"webhooks":[{"type":"VSS","url":5}]}'],
    ['a webhook with an invalid state', '{"webhooks":[{"type":"VSS","url":"u","enabled":"on"}]}'],
  ])('fails, instead of being empty, when the response has %s', async (_, body) => {
    expect(await messageOf(answered(body).list('some_account'))).toBe(
      "8x8 did not return a valid list of the webhooks of sub-account some_account: it is not a webhook list, or a VSS webhook in it is malformed. Check that webhooksApiUrl, https://voice.example, is the address of 8x8's Voice API.",
    );
  });
});

describe('a request', () => {
  it('encodes the sub-account in its path', async () => {
    const { api, list } = client([], 'a.b&c');

    expect(await list('a.b&c')).toHaveLength(1);
    expect(api.requests).toEqual(['GET /api/v1/subaccounts/a.b%26c/webhooks']);
  });

  it('has a timeout, and follows no redirect', async () => {
    const { requests, list } = answered('{"count":0}');
    await list('some_account');

    expect(requests).toMatchObject([{ redirect: 'manual', signal: expect.any(AbortSignal) }]);
  });

  it('sends an enabled webhook as JSON to create it', async () => {
    const { requests, create } = answered('{}', { status: 201 });
    await create('some_account', { url: 'u', authorization: AUTHORIZATION });

    expect(requests).toMatchObject([{ headers: { 'Content-Type': 'application/json' } }]);
    expect(JSON.parse(String(requests[0]?.body))).toEqual({
      type: 'VSS',
      url: 'u',
      httpAuthHeader: AUTHORIZATION,
      enabled: true,
    });
  });

  it('registers the webhook that it creates', async () => {
    const { api, create } = client();
    api.webhooks.set('some_account', []);

    await create('some_account', { url: 'https://api.example/new', authorization: AUTHORIZATION });

    expect(api.webhooks.get('some_account')).toEqual([
      { type: 'VSS', url: 'https://api.example/new', enabled: true, httpAuthHeader: AUTHORIZATION },
    ]);
  });

  it('removes a webhook idempotently, and does not change those of other types', async () => {
    const { api, remove } = client();
    await remove('some_account');
    await remove('some_account');

    expect(api.webhooks.get('some_account')).toMatchObject([{ type: 'VCA' }]);
  });
});

describe('a failed call', () => {
  it.each<Fault>([500, 503, 504, 'slow', 'dropped-before', 'dropped-after'])(
    'with the fault %s is tried three times, with pauses',
    async (fault) => {
      const { api, now, list } = client([fault, fault]);

      expect(await list('some_account')).toHaveLength(1);
      expect(api.requests).toHaveLength(3);
      expect(now()).toBeGreaterThan(0);
      expect(await messageOf(client([fault, fault, fault]).list('some_account'))).toContain(
        '8x8 did not list',
      );
    },
  );

  it('retries a rate-limited call until the time of the client is used up, at most every 30 seconds', async () => {
    const { at, list } = answered('', { status: 429 });

    expect(await messageOf(list('some_account'))).toContain('HTTP 429');
    expect(at.at(-1)).toBeGreaterThan(RETRY_MS - 45_000);
    expect(at.at(-1)).toBeLessThanOrEqual(RETRY_MS - 10_000);
    expect(at.length).toBeGreaterThan(10);
    expect(at.length).toBeLessThan(80);
  });

  it('tries a call that fails for another reason three times, not counting the attempts that hit the rate limit', async () => {
    const { api, list } = client([429, 429, 429, 500, 429, 'dropped-before']);

    expect(await list('some_account')).toHaveLength(1);
    expect(api.requests).toHaveLength(7);
  });

  it.each<Fault>([401, 403, 404, 422])('with %s is tried once', async (fault) => {
    const { api, list } = client([fault]);

    expect(await messageOf(list('some_account'))).toContain(`HTTP ${fault}`);
    expect(api.requests).toHaveLength(1);
  });

  it('is retried after random pauses of at most one and then two seconds', async () => {
    const runs = await Promise.all(
      [1, 2].map(async () => {
        const { at, list } = answered('', { status: 500 });
        await messageOf(list('some_account'));
        return at;
      }),
    );

    for (const [first = 0, second = 0, third = 0] of runs) {
      expect(second - first).toBeLessThanOrEqual(1_000);
      expect(third - second).toBeLessThanOrEqual(2_000);
    }
    expect(runs[0]).not.toEqual(runs[1]);
  });

  it.each([
    ['1.5', 1_500],
    ['20', 20_000],
    ['60', 60_000],
    ['Tue, 13 Jan 2026 08:00:20 GMT', 20_000],
  ])('is retried after the time in Retry-After plus jitter: %s', async (retryAfter, waitMs) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-13T08:00:00Z') });
    onTestFinished(() => void vi.useRealTimers());
    const { at, list } = answered('', { status: 429, headers: { 'Retry-After': retryAfter } });
    await messageOf(list('some_account'));

    const [first = 0, second = 0] = at;
    expect(second - first).toBeGreaterThan(waitMs);
    expect(second - first).toBeLessThanOrEqual(waitMs + 1_000);
  });

  it.each(['86400', 'Wed, 13 Jan 2100 08:00:20 GMT'])(
    'is not retried when Retry-After exceeds the time of the client: %s',
    async (retryAfter) => {
      const { requests, list } = answered('', { status: 429, headers: { 'Retry-After': retryAfter } });

      expect(await messageOf(list('some_account'))).toMatch(/8x8 asks to wait \d{5,} seconds/);
      expect(requests).toHaveLength(1);
    },
  );

  it('is not retried when the time of the client is used up, because its function is close to its timeout', async () => {
    const { requests, list } = answered('', { status: 503 }, 10_000);

    expect(await messageOf(list('some_account'))).toContain('HTTP 503');
    expect(requests).toHaveLength(1);
  });

  it.each([-1, '1001'])('is also a 200 with the code %j instead of 0', async (failureIn200) => {
    const { api, list, create, remove } = client();
    api.switches.failureIn200 = failureIn200;

    for (const call of [
      list,
      remove,
      () => create('some_account', { url: 'u', authorization: AUTHORIZATION }),
    ]) {
      const message = await messageOf(call('some_account'));
      expect(message).toContain(`HTTP 200, "Internal error", code ${failureIn200}. `);
      expect(message).toContain('Ask 8x8 what the code means');
    }
    expect(api.webhooks.get('some_account')).toHaveLength(2);
  });

  it('stops reading an endless response at 1 MB', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });

    expect(await messageOf(answered(endless).list('some_account'))).toContain('did not return a valid list');
    expect(pulled).toBeLessThan(2_000_000);
  });
});

describe('the error message', () => {
  it.each<[Fault, string, string]>([
    [
      401,
      'HTTP 401, "Simulated", code 401, errorId ',
      'does not accept the API key. Store a valid key from https://connect.8x8.com in the secret that the setting apiKeySecretName names.',
    ],
    [403, 'HTTP 403', 'Check that the key belongs to the account of some_account'],
    [404, 'HTTP 404', 'Check the spelling of some_account in subAccountIds, including upper and lower case'],
    [422, 'HTTP 422', 'rejected the request. Ask 8x8 what it expects, and quote this message.'],
    [500, 'HTTP 500', 'a fault at 8x8. Try again later'],
    ['dropped-before', 'other side closed', 'Check that webhooksApiUrl, https://voice.example, is correct'],
    ['slow', 'no answer within 10 seconds', 'Check that webhooksApiUrl, https://voice.example, is correct'],
  ])(
    'after the fault %s has the request, the response and what to check',
    async (fault, response, advice) => {
      const message = await messageOf(client([fault, fault, fault]).list('some_account'));

      expect(message).toMatch(/^8x8 did not list the webhooks of sub-account some_account: /);
      expect(message).toContain(response);
      expect(message).toContain(advice);
    },
  );

  it('advises to check webhooksApiUrl after a redirect', async () => {
    const { list } = answered(null, { status: 302, headers: { Location: 'https://elsewhere.example' } });

    expect(await messageOf(list('some_account'))).toContain(
      "HTTP 302. Check that webhooksApiUrl, https://voice.example, is the address of 8x8's Voice API.",
    );
  });

  it.each([
    [{ code: 4018, message: 'Invalid', errorId: 'e' }, 'HTTP 400, "Invalid", code 4018, errorId e.'],
    [{ statusCode: 404, statusMessage: 'Not found' }, 'HTTP 400, "Not found", code 404.'],
    ['', 'HTTP 400. '],
  ])('quotes the error of 8x8 in each of its formats: %j', async (body, expected) => {
    expect(await messageOf(answered(JSON.stringify(body), { status: 400 }).list('some_account'))).toContain(
      expected,
    );
  });

  it('masks the API key and the Authorization value when 8x8 repeats them', async () => {
    const { create } = client(['echo']);
    const message = await messageOf(create('some_account', { url: 'u', authorization: AUTHORIZATION }));

    expect(message).toContain('Bearer ***');
    expect(message).not.toContain(API_KEY);
    expect(message).not.toContain(AUTHORIZATION);
  });

  it('masks the path of a URL that 8x8 quotes, because it may contain a token', async () => {
    const body = JSON.stringify({
      message: 'Webhook https://user:secret@hooks.example/T0KEN/abc?k=1 exists already',
    });

    expect(await messageOf(answered(body, { status: 409 }).list('some_account'))).toContain(
      '"Webhook https://hooks.example/*** exists already"',
    );
  });

  it('is short and printable even if 8x8 sends a long text with control characters', async () => {
    const body = JSON.stringify({ message: `\u0007${'ü'.repeat(5_000)}`, errorId: 'x'.repeat(5_000) });
    const message = await messageOf(answered(body, { status: 400 }).list('some_account'));

    expect(message).toMatch(/^[\x20-\x7e]+$/);
    expect(message.length).toBeLessThan(1_000);
  });
});
