import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { downloader } from '../../../functions/log-export/download.ts';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';

const API_KEY = 'key-of-8x8-0123456789+/==';
const BASE_URL = 'https://voice.wavecell.com';
const TOKEN = 'T0KEN-of-the-download';
const LINK = `${BASE_URL}/messages/download/${TOKEN}?sig=S1GNATURE`;
const CSV = 'SessionId,CallId\na,b\n';

type Settings = Partial<Parameters<typeof downloader>[0]>;

/** A download whose requests get these replies, the last of them again and again. */
function download(replies: (Response | Error)[], settings: Settings = {}, link = LINK, expires?: string) {
  const requests: { url: string; hasKey: boolean; redirect: string | undefined }[] = [];
  const get = downloader({
    baseUrl: BASE_URL,
    apiKey: API_KEY,
    fetch: async (input, init) => {
      const { url, headers } = new Request(input, init);
      const authorization = headers.get('Authorization');
      requests.push({ url, hasKey: authorization === `Bearer ${API_KEY}`, redirect: init?.redirect });
      const [reply] = replies.length > 1 ? replies.splice(0, 1) : replies;
      if (reply instanceof Response) return reply;
      throw reply;
    },
    ...settings,
  });
  return { requests, file: get({ link, expires }) };
}

async function textOf(file: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function failureOf(file: AsyncIterable<Uint8Array>): Promise<LogExportError> {
  const error = await textOf(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LogExportError)) throw new Error('expected a LogExportError', { cause: error });
  expect(`${error.message} ${error.stack}`).not.toMatch(/T0KEN|S1GNATURE|key-of-8x8|download\//);
  expect(error.cause).toBeUndefined();
  return error;
}

const ok = (body: string | Uint8Array<ArrayBuffer> = CSV, headers = {}) => new Response(body, { headers });
const status = (code: number) => new Response('Refused', { status: code });
const redirect = (Location: string, code = 302) =>
  new Response(null, { status: code, headers: { Location } });

/** A body with these chunks, which then stays open, ends or breaks. */
function stream(chunks: Uint8Array[], end: 'stays' | 'ends' | 'breaks' = 'ends') {
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) return controller.enqueue(chunk);
      if (end === 'ends') controller.close();
      if (end === 'breaks') controller.error(new TypeError('terminated', { cause: new Error(LINK) }));
      return end === 'stays' ? new Promise(() => {}) : undefined;
    },
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a download', () => {
  it('requests nothing before it is read', async () => {
    const { file, requests } = download([ok()]);

    expect(requests).toEqual([]);
    expect(await textOf(file)).toBe(CSV);
    expect(requests).toEqual([{ url: LINK, hasKey: true, redirect: 'manual' }]);
  });

  it('requests no compression, which would make the length of the file unknown', async () => {
    const headers: (string | null)[] = [];
    const get = downloader({
      baseUrl: BASE_URL,
      apiKey: API_KEY,
      fetch: async (input, init) => {
        headers.push(new Request(input, init).headers.get('Accept-Encoding'));
        return ok();
      },
    });
    await textOf(get({ link: LINK, expires: undefined }));

    expect(headers).toEqual(['identity']);
  });

  it('of an empty file yields nothing', async () => {
    expect(await textOf(download([new Response(null)]).file)).toBe('');
    expect(await textOf(download([ok('')]).file)).toBe('');
  });

  it('stops the transfer when its consumer stops', async () => {
    const body = stream([bytes('a'), bytes('bcdef')], 'stays');
    const signals: (AbortSignal | null | undefined)[] = [];
    const get = downloader({
      baseUrl: BASE_URL,
      apiKey: API_KEY,
      fetch: async (_, init) => {
        signals.push(init?.signal);
        return new Response(body);
      },
    });
    for await (const _ of get({ link: LINK, expires: undefined })) break;

    expect(signals[0]?.aborted).toBe(true);
  });

  it('reads only as fast as its consumer', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(bytes('0123456789'));
      },
    });
    const { file } = download([new Response(body)]);
    for (let i = 0; i < 5; i++) await file.next();
    await new Promise(setImmediate);
    await file.return(undefined);

    expect(pulled).toBeLessThan(10);
  });
});

describe('the API key', () => {
  it.each([
    ['https://api.8x8.com/file', 'another domain of 8x8'],
    ['https://s3.wavecell.com/file', 'another host of the same domain'],
    ['https://voice.wavecell.com:8443/file', 'another port'],
    ['https://bucket.s3.eu-west-1.amazonaws.com/file?X-Amz-Signature=S1GNATURE', 'object storage'],
  ])('is not sent to %s: %s', async (link) => {
    const { file, requests } = download([ok()], {}, link);
    await textOf(file);

    expect(requests).toMatchObject([{ url: link, hasKey: false }]);
  });

  it('is left out when a redirect changes the origin, also when a later one returns', async () => {
    const { file, requests } = download([
      redirect('/elsewhere'),
      redirect('https://bucket.s3.amazonaws.com/file', 307),
      redirect(LINK, 308),
      ok(),
    ]);
    await textOf(file);

    expect(requests).toMatchObject([
      { url: LINK, hasKey: true },
      { url: `${BASE_URL}/elsewhere`, hasKey: true },
      { url: 'https://bucket.s3.amazonaws.com/file', hasKey: false },
      { url: LINK, hasKey: false },
    ]);
  });

  it.each([401, 403])('is left out once if 8x8 answers %i with it', async (code) => {
    const { file, requests } = download([status(code), redirect('/other'), ok()]);

    expect(await textOf(file)).toBe(CSV);
    expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, false, false]);
  });

  it('is sent after all if 8x8 answers 401 without it', async () => {
    const { file, requests } = download([redirect('https://x.8x8.com/a'), redirect(LINK), status(401), ok()]);

    expect(await textOf(file)).toBe(CSV);
    expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, false, false, true]);
  });

  it.each([
    [401, 'key-refused', 'apiKeySecretName'],
    [403, 'access-refused', 'subAccountIds'],
  ])(
    'is tried with and without it only once, then the answer %i is an error',
    async (code, kind, setting) => {
      const { file, requests } = download([401, code, 200].map(status), {}, LINK, '2999-01-01T00:00:00.000Z');
      const failure = await failureOf(file);

      expect(failure.kind).toBe(kind);
      expect(failure.message).toContain(`HTTP ${code}, with and without the API key`);
      expect(failure.message).toContain(setting);
      expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, false]);
    },
  );

  it('is never sent to another origin, even if it answers 401 without the key', async () => {
    const { file, requests } = download([
      redirect('https://bucket.s3.amazonaws.com/file'),
      status(401),
      ok(),
    ]);
    const { kind } = await failureOf(file);

    expect(kind).toBe('expired');
    expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, false]);
  });
});

const FOREIGN = [
  ['https://evil.example/T0KEN', 'to the host evil.example'],
  ['https://wavecell.com.evil.example/T0KEN', 'to the host wavecell.com.evil.example'],
  ['https://notwavecell.com/T0KEN', 'to the host notwavecell.com'],
  ['https://169.254.169.254/latest/meta-data', 'to the host 169.254.169.254'],
  ['https://127.0.0.1/T0KEN', 'to the host 127.0.0.1'],
  ['http://voice.wavecell.com/T0KEN', 'that does not use HTTPS, but http:'],
  ['ftp://voice.wavecell.com/T0KEN', 'that does not use HTTPS, but ftp:'],
  ['file:///etc/T0KEN', 'that does not use HTTPS, but file:'],
  ['https://user:T0KEN@voice.wavecell.com/', 'with a user name'],
  ['https://', 'that is not a URL'],
] as const;

describe('a link', () => {
  it.each(FOREIGN)('such as %s is not requested', async (link, reason) => {
    const { file, requests } = download([ok()], {}, link);
    const { kind, message } = await failureOf(file);

    expect(kind).toBe('link-refused');
    expect(message).toContain(`8x8 returned a link ${reason}`);
    expect(requests).toEqual([]);
  });

  it.each(FOREIGN)('that redirects to %s is not followed', async (link, reason) => {
    const { file, requests } = download([redirect(link), ok()]);
    const { kind, message } = await failureOf(file);

    expect(kind).toBe('link-refused');
    expect(message).toContain(`8x8 returned a link ${reason}`);
    expect(requests).toHaveLength(1);
  });

  it('may be on the host of the base URL, wherever that is', async () => {
    const link = 'https://proxy.example:8443/file';
    const { file, requests } = download([ok()], { baseUrl: 'https://proxy.example:8443' }, link);

    expect(await textOf(file)).toBe(CSV);
    expect(requests).toMatchObject([{ hasKey: true }]);
  });

  it.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:5000/file', true],
    ['http://127.0.0.1:4000', 'http://localhost:5000/file', true],
    ['http://[::1]:4000', 'http://[::1]:4000/file', true],
    ['http://127.0.0.1:4000', 'http://voice.wavecell.com/file', false],
    ['http://127.0.0.1:4000', 'http://127.evil.example/file', false],
    ['http://voice.wavecell.com', 'http://voice.wavecell.com/file', false],
    ['https://voice.wavecell.com', 'http://localhost/file', false],
  ])('of the API %s may be %s: %s', async (baseUrl, link, isAllowed) => {
    const { file } = download([ok()], { baseUrl }, link);

    if (isAllowed) expect(await textOf(file)).toBe(CSV);
    else expect((await failureOf(file)).kind).toBe('link-refused');
  });

  it('may redirect five times', async () => {
    const redirects = (count: number) => Array.from({ length: count }, (_, i) => redirect(`/${i}`, 303));

    expect(await textOf(download([...redirects(5), ok()]).file)).toBe(CSV);
    const { file, requests } = download([...redirects(6), ok()]);
    expect(await failureOf(file)).toMatchObject({
      kind: 'link-refused',
      message: expect.stringContaining('redirects more than 5 times'),
    });
    expect(requests).toHaveLength(6);
  });

  it('that redirects nowhere redirects to itself', async () => {
    const { file, requests } = download([new Response(null, { status: 302 })]);

    expect((await failureOf(file)).kind).toBe('link-refused');
    expect(requests.length).toBeLessThanOrEqual(6);
  });

  it.each([
    [404, undefined, 'expired'],
    [410, undefined, 'expired'],
    [403, '2026-01-01T00:00:00.000Z', 'expired'],
    [401, '2026-01-01T00:00:00.000Z', 'expired'],
    [403, undefined, 'access-refused'],
    [400, undefined, 'refused'],
    [422, undefined, 'refused'],
    [204, undefined, 'refused'],
    [206, undefined, 'refused'],
    [429, undefined, 'unavailable'],
    [500, undefined, 'unavailable'],
    [503, undefined, 'unavailable'],
  ])('that answers %i and expires at %s is %s', async (code, expires, kind) => {
    const reply = () => new Response(null, { status: code });
    const failure = await failureOf(download([reply(), reply()], {}, LINK, expires).file);

    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(`HTTP ${code}`);
  });

  it('to object storage that answers 403 has expired', async () => {
    const { file } = download([status(403)], {}, 'https://bucket.s3.amazonaws.com/T0KEN');

    expect((await failureOf(file)).kind).toBe('expired');
  });

  it.each([
    [
      new TypeError('fetch failed', { cause: Object.assign(new Error(LINK), { code: 'ECONNREFUSED' }) }),
      ' (ECONNREFUSED)',
    ],
    [new TypeError(`Failed to parse URL from ${LINK}`), ''],
    [Object.assign(new Error(LINK), { code: LINK }), ''],
  ])('that cannot be requested is unavailable: %s', async (fault, shown) => {
    const { kind, message } = await failureOf(download([fault]).file);

    expect(kind).toBe('unavailable');
    expect(message).toContain(`failed${shown}. Try again later`);
  });
});

describe('a body', () => {
  it('shorter than its Content-Length is cut off', async () => {
    const { kind, message } = await failureOf(download([ok(CSV, { 'Content-Length': '5000000' })]).file);

    expect(kind).toBe('cut-off');
    expect(message).toContain(`after ${CSV.length} of 5,000,000 bytes`);
  });

  it('that fetch has decompressed may be longer or shorter than its Content-Length', async () => {
    const headers = { 'Content-Encoding': 'gzip', 'Content-Length': '500' };

    expect(await textOf(download([ok(CSV, headers)]).file)).toBe(CSV);
  });

  it('whose connection breaks is cut off', async () => {
    const body = stream([bytes('SessionId')], 'breaks');

    expect((await failureOf(download([new Response(body)]).file)).kind).toBe('cut-off');
  });

  it('without new bytes for a minute has stalled', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const body = stream([bytes('SessionId')], 'stays');
    const { file } = download([new Response(body)]);
    const failing = failureOf(file);
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await failing).toMatchObject({
      kind: 'stalled',
      message: expect.stringContaining('for 60 seconds'),
    });
  });

  it('does not stall while its consumer is busy', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { file } = download([new Response(stream([bytes('0123'), bytes('45'), bytes('6')]))]);
    await file.next();
    await vi.advanceTimersByTimeAsync(3_600_000);

    expect(await textOf(file)).toBe('456');
  });

  it('is rejected when it exceeds the limit, before it is read to its end', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1_000;
        controller.enqueue(new Uint8Array(1_000).fill(0x20));
      },
    });

    expect((await failureOf(download([new Response(endless)], { maxBytes: 100_000 }).file)).kind).toBe(
      'too-large',
    );
    expect(pulled).toBeLessThan(110_000);
  });
});

describe('a compressed file', () => {
  const gzip = (text: string) => new Uint8Array(gzipSync(text));

  it.each([1, 2, 3, 1_000])('is decompressed, in chunks of %i bytes', async (size) => {
    const compressed = gzip(CSV);
    const chunks = Array.from({ length: Math.ceil(compressed.length / size) }, (_, i) =>
      compressed.slice(i * size, (i + 1) * size),
    );

    expect(await textOf(download([new Response(stream(chunks))]).file)).toBe(CSV);
  });

  it('may have several members', async () => {
    const members = new Uint8Array(Buffer.concat([gzip('a'), gzip('b')]));

    expect(await textOf(download([ok(members)]).file)).toBe('ab');
  });

  it('that ends too early is cut off', async () => {
    const compressed = gzip(CSV.repeat(1_000));

    for (const length of [5, 30, compressed.length - 1])
      expect(await failureOf(download([ok(compressed.slice(0, length))]).file)).toMatchObject({
        kind: 'cut-off',
        message: expect.stringContaining('is cut off'),
      });
  });

  it('that is damaged is downloaded again', async () => {
    const compressed = gzip(CSV.repeat(10));
    compressed.fill(0xff, -6, -5);

    expect(await failureOf(download([ok(compressed)]).file)).toMatchObject({
      kind: 'cut-off',
      message: expect.stringContaining('is damaged'),
    });
  });

  it('whose connection breaks is cut off', async () => {
    const body = stream([gzip(CSV.repeat(1_000)).slice(0, 30)], 'breaks');

    expect(await failureOf(download([new Response(body)]).file)).toMatchObject({
      kind: 'cut-off',
      message: expect.stringContaining('broke off'),
    });
  });

  it('must not exceed the limit after decompression', async () => {
    const bomb = gzip(' '.repeat(10_000_000));

    expect(await failureOf(download([ok(bomb)], { maxDecompressedBytes: 1_000_000 }).file)).toMatchObject({
      kind: 'too-large',
      message: expect.stringContaining('after decompression'),
    });
  });

  it('as a zip archive is rejected', async () => {
    const zip = new Uint8Array([0x50, 0x4b, 0x03, 0x04, 0x14, 0x00]);

    expect(await failureOf(download([ok(zip)]).file)).toMatchObject({
      kind: 'not-csv',
      message: expect.stringContaining('is a zip archive'),
    });
    expect(await textOf(download([ok('PK,SessionId')]).file)).toBe('PK,SessionId');
  });
});

describe('over a network', () => {
  /** A server on this machine, and a download of it. */
  async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    return (path = `/download/${TOKEN}?sig=S1GNATURE`) =>
      downloader({ baseUrl, apiKey: API_KEY })({ link: `${baseUrl}${path}`, expires: undefined });
  }

  it('follows a redirect to another origin without the key', async () => {
    const seen: (string | undefined)[] = [];
    const storage = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end(gzipSync(CSV));
    });
    await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void storage.close());
    const address = storage.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const get = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { Location: `http://127.0.0.1:${port}/file` }).end();
    });

    expect(await textOf(get())).toBe(CSV);
    expect(seen).toEqual([`Bearer ${API_KEY}`, undefined]);
  });

  it('reads a file that the server compresses in transit, and one that is compressed twice', async () => {
    const get = await serve(({ url }, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      const compressed = gzipSync(url === '/twice' ? gzipSync(CSV) : CSV);
      response.setHeader('Content-Length', compressed.length);
      response.end(compressed);
    });

    expect(await textOf(get('/once'))).toBe(CSV);
    expect(await textOf(get('/twice'))).toBe(CSV);
  });

  it.each([
    ['a Content-Length', { 'Content-Length': '1000000' }],
    ['chunks', {}],
  ])('notices a connection that the server drops within a body with %s', async (_, headers) => {
    const get = await serve((_request, response) => {
      response.writeHead(200, headers);
      response.write(CSV, () => response.destroy());
    });

    expect((await failureOf(get())).kind).toBe('cut-off');
  });

  it('notices a connection that the server drops before its response', async () => {
    const get = await serve((request) => request.socket.destroy());

    expect((await failureOf(get())).kind).toBe('unavailable');
  });

  it('reads a large file to its end', async () => {
    const chunk = Buffer.alloc(65_536, 'a');
    const get = await serve((_request, response) => {
      let left = 1_600;
      const write = () => {
        while (left-- > 0) if (!response.write(chunk)) return void response.once('drain', write);
        response.end();
      };
      write();
    });
    let length = 0;
    for await (const bytes of get()) length += bytes.byteLength;

    expect(length).toBe(1_600 * chunk.length);
  });
});
