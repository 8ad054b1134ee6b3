import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { constants, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { downloader } from '../../../functions/log-export/download.ts';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { close, listenOnLoopback } from '../../../infra/local/loopback.ts';

const API_KEY = 'key-of-8x8-0123456789+/==';
const PATH = '/download/T0KEN-of-the-download?sig=S1GNATURE';
const CSV = 'SessionId,CallId\na,b\n';

type Reply = (response: ServerResponse, hasKey: boolean) => void;

/** The API, and object storage on another port, which is another origin. Each answers with the next of these replies. */
let replies: Reply[] = [];
const requests: { origin: 'api' | 'storage'; path: string; hasKey: boolean }[] = [];
const listener =
  (origin: 'api' | 'storage'): RequestListener =>
  ({ url: path = '', headers: { authorization } }, response) => {
    const hasKey = authorization === `Bearer ${API_KEY}`;
    requests.push({ origin, path, hasKey });
    const [reply] = replies.length > 1 ? replies.splice(0, 1) : replies;
    reply?.(response, hasKey);
  };
const servers: [Server, Server] = [createServer(listener('api')), createServer(listener('storage'))];
let api = '';
let storage = '';
beforeAll(async () => {
  [api = '', storage = ''] = await Promise.all(servers.map((server) => listenOnLoopback(server, 0)));
});
beforeEach(() => requests.splice(0));
afterAll(() => Promise.all(servers.map(close)));

type Settings = Partial<Parameters<typeof downloader>[0]>;

/** Downloads files, and returns the text of each. */
async function download(links: string[], settings: Settings = {}, expires?: string): Promise<string[]> {
  const get = downloader({ baseUrl: api, apiKey: API_KEY, ...settings });
  using files = await get(links.map((link) => ({ link, expires })));
  // They can be read again, also if a reader has stopped early.
  for (const file of files.read()) for await (const _ of file) break;
  return await Promise.all(files.read().map(text));
}

const fileOf = async (reply: Reply, settings: Settings = {}) => {
  replies = [reply];
  const [file] = await download([`${api}${PATH}`], settings);
  return file;
};

async function failureOf(downloading: Promise<unknown>): Promise<LogExportError> {
  const error = await downloading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LogExportError)) throw new Error('expected a LogExportError', { cause: error });
  expect(`${error.message} ${error.stack}`).not.toMatch(/T0KEN|S1GNATURE|key-of-8x8|download\//);
  expect(error.cause).toBeUndefined();
  return error;
}

const ok =
  (body: string | Uint8Array = CSV, headers = {}): Reply =>
  (response) =>
    response.writeHead(200, { 'Content-Length': Buffer.byteLength(body), ...headers }).end(body);
/** Sends chunks, and the final one if the body is complete. */
const chunked =
  (body: string | Uint8Array, headers = {}, isComplete = true): Reply =>
  (response) => {
    response.writeHead(200, headers);
    response.write(body, () => (isComplete ? response.end() : response.destroy()));
  };
const status =
  (code: number, body = 'Refused'): Reply =>
  (response) =>
    response.writeHead(code).end(body);
const redirect =
  (Location: string, code = 302): Reply =>
  (response) =>
    response.writeHead(code, { Location }).end();

const LARGE = CSV.repeat(10_000);
const gzipped = gzipSync(CSV);

describe('the files of an export', () => {
  it('are downloaded one after the other, and can be read again', async () => {
    replies = [ok('a'), ok(''), chunked(LARGE)];

    expect(await download([`${api}/1`, `${api}/2`, `${api}/3`])).toEqual(['a', '', LARGE]);
    expect(requests.map(({ path }) => path)).toEqual(['/1', '/2', '/3']);
  });

  it.each<[string, Reply]>([
    ['gzip', ok(gzipped)],
    ['gzip for the transfer', ok(gzipped, { 'Content-Encoding': 'gzip' })],
    ['gzip for the transfer, in chunks', chunked(gzipped, { 'Content-Encoding': 'gzip' })],
    ['gzip in two members', ok(Buffer.concat([gzipSync('SessionId,'), gzipSync('CallId\na,b\n')]))],
    ['nothing', chunked(CSV)],
  ])('are decompressed from %s', async (_, reply) => {
    expect(await fileOf(reply)).toBe(CSV);
  });

  const flushed = gzipSync(LARGE, { finishFlush: constants.Z_SYNC_FLUSH });
  const damaged = gzipSync(CSV.repeat(10));
  damaged.fill(0xff, damaged.length - 6, damaged.length - 5);
  it.each<[string, Reply]>([
    ['ends before its Content-Length', (response) => ok(CSV, { 'Content-Length': 5_000 })(response, true)],
    ['ends without a final chunk', chunked(CSV, {}, false)],
    ['ends without a final chunk, and is compressed', chunked(gzipped, {}, false)],
    ['lacks the trailer of gzip', ok(gzipped.subarray(0, -1))],
    ['lacks the trailer of gzip after a flush', chunked(flushed, { 'Content-Encoding': 'gzip' })],
    ['has another trailer', ok(damaged)],
    ['is empty although it should be compressed', chunked('', { 'Content-Encoding': 'gzip' })],
  ])('are cut off if one %s', async (_, reply) => {
    const sent: Reply = (response, hasKey) => {
      reply(response, hasKey);
      // A body that is too short leaves its connection open.
      response.once('finish', () => response.destroy());
    };

    expect((await failureOf(fileOf(sent))).kind).toBe('cut-off');
  });

  it('are refused wherever a compressed transfer is cut', async () => {
    const lengths = Array.from({ length: 20 }, (_, i) => Math.floor((flushed.length * i) / 20));
    for (const length of lengths)
      expect(
        (await failureOf(fileOf(chunked(flushed.subarray(0, length), { 'Content-Encoding': 'gzip' })))).kind,
      ).toBe('cut-off');
  });

  it.each<[string, Reply, string]>([
    [
      'has neither a Content-Length nor chunks',
      ({ socket }) => socket?.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${CSV}`),
      'neither a Content-Length nor chunks',
    ],
    ['has another compression', ok(CSV, { 'Content-Encoding': 'br' }), 'a Content-Encoding other than gzip'],
  ])('are refused if one %s', async (_, reply, message) => {
    expect(await failureOf(fileOf(reply))).toMatchObject({
      kind: 'unexpected-answer',
      message: expect.stringContaining(message),
    });
  });

  it('are too large if they exceed the limit together, or after decompression', async () => {
    replies = [ok('x'.repeat(600)), ok('x'.repeat(600))];
    expect(await failureOf(download([`${api}/1`, `${api}/2`], { maxBytes: 1_000 }))).toMatchObject({
      kind: 'too-large',
    });
    const bomb = gzipSync(' '.repeat(10_000_000));
    expect((await failureOf(fileOf(ok(bomb), { maxBytes: 1_000_000 }))).kind).toBe('too-large');
  });

  it('have stalled if no data arrive, before the response or within it', async () => {
    expect((await failureOf(fileOf(() => {}, { stallMs: 50 }))).kind).toBe('stalled');
    const silent: Reply = (response) => void response.writeHead(200, { 'Content-Length': 9 }).write('a');
    expect(await failureOf(fileOf(silent, { stallMs: 50 }))).toMatchObject({
      kind: 'stalled',
      message: expect.stringContaining('for 0.05 seconds'),
    });
  });
});

describe('the API key', () => {
  it('is not sent to another origin, also not after a redirect', async () => {
    replies = [ok()];
    await download([`${storage}/file`]);
    replies = [redirect('/elsewhere'), redirect(`${storage}/file`, 307), redirect(`${api}/file`, 308), ok()];
    await download([`${api}${PATH}`]);

    expect(requests).toEqual([
      { origin: 'storage', path: '/file', hasKey: false },
      { origin: 'api', path: PATH, hasKey: true },
      { origin: 'api', path: '/elsewhere', hasKey: true },
      { origin: 'storage', path: '/file', hasKey: false },
      { origin: 'api', path: '/file', hasKey: false },
    ]);
  });

  it.each([400, 401, 403])('is left out once if 8x8 answers %i with it', async (code) => {
    const reply: Reply = (response, hasKey) => (hasKey ? status(code) : ok())(response, hasKey);

    expect(await fileOf(reply)).toBe(CSV);
    expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, false]);
  });

  it('is left out if a redirect to the same origin is refused with it', async () => {
    replies = [redirect('/signed'), status(400), ok()];

    expect(await download([`${api}${PATH}`])).toEqual([CSV]);
    expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, true, false]);
  });

  it.each([
    [401, 'key-refused', 'apiKeySecretName'],
    [403, 'access-refused', 'subAccountIds'],
  ])('is tried with and without it only once: then %i is an error', async (code, kind, setting) => {
    const failure = await failureOf(fileOf(status(code)));

    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(`HTTP ${code}, with and without the API key`);
    expect(failure.message).toContain(setting);
    expect(requests.map(({ hasKey }) => hasKey)).toEqual([true, false]);
  });
});

describe('a link', () => {
  const FOREIGN = [
    ['https://evil.example/T0KEN', 'to the host evil.example'],
    ['https://wavecell.com.evil.example/T0KEN', 'to the host wavecell.com.evil.example'],
    ['https://notwavecell.com/T0KEN', 'to the host notwavecell.com'],
    ['https://169.254.169.254/latest/meta-data', 'to the host 169.254.169.254'],
    ['http://voice.wavecell.com/T0KEN', 'that does not use HTTPS, but http:'],
    ['file:///etc/T0KEN', 'that does not use HTTPS, but file:'],
    ['https://user:T0KEN@voice.wavecell.com/', 'with a user name'],
    ['https://', 'that is not a URL'],
  ] as const;

  it.each(FOREIGN)('such as %s is not requested, also not after a redirect', async (link, reason) => {
    const refused = {
      kind: 'link-refused',
      message: expect.stringContaining(`8x8 returned a link ${reason}`),
    };

    expect(await failureOf(download([link]))).toMatchObject(refused);
    expect(await failureOf(fileOf(redirect(link)))).toMatchObject(refused);
    expect(requests.length).toBe(1);
  });

  it.each([
    ['https://voice.wavecell.com', 'http://localhost/T0KEN'],
    ['https://voice.wavecell.com', 'https://127.0.0.1/T0KEN'],
    ['http://voice.wavecell.com', 'http://voice.wavecell.com/T0KEN'],
    ['http://127.0.0.1:4000', 'http://127.evil.example/T0KEN'],
  ])('of the API %s cannot be %s', async (baseUrl, link) => {
    expect((await failureOf(download([link], { baseUrl }))).kind).toBe('link-refused');
  });

  it('may redirect five times', async () => {
    const redirects = (count: number) => Array.from({ length: count }, (_, i) => redirect(`/${i}`, 303));

    replies = [...redirects(5), ok()];
    expect(await download([`${api}${PATH}`])).toEqual([CSV]);
    replies = [...redirects(6), ok()];
    expect(await failureOf(download([`${api}${PATH}`]))).toMatchObject({
      kind: 'link-refused',
      message: expect.stringContaining('redirects more than 5 times'),
    });
  });

  const EXPIRED_TOKEN = '<?xml version="1.0"?>\n<Error><Code>ExpiredToken</Code></Error>';
  it.each([
    [404, undefined, '', 'expired'],
    [410, undefined, '', 'expired'],
    [403, '2026-01-01T00:00:00.000Z', '', 'expired'],
    [401, '2026-01-01T00:00:00.000Z', '', 'expired'],
    [400, undefined, EXPIRED_TOKEN, 'expired'],
    [400, undefined, '', 'refused'],
    [403, undefined, '', 'access-refused'],
    [422, undefined, '', 'refused'],
    [206, undefined, CSV, 'refused'],
    [429, undefined, '', 'unavailable'],
    [503, undefined, '', 'unavailable'],
  ])('that answers %i and expires at %s, with the body "%s", is %s', async (code, expires, body, kind) => {
    replies = [status(code, body)];
    const failure = await failureOf(download([`${api}${PATH}`], {}, expires));

    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(`HTTP ${code}`);
  });

  it.each([
    [403, '', 'expired'],
    [400, EXPIRED_TOKEN, 'expired'],
    [400, '', 'refused'],
  ])('to object storage that answers %i "%s" is %s', async (code, body, kind) => {
    replies = [status(code, body)];

    expect((await failureOf(download([`${storage}${PATH}`]))).kind).toBe(kind);
  });

  it('that cannot be requested is unavailable', async () => {
    expect((await failureOf(fileOf(({ socket }) => socket?.destroy()))).kind).toBe('unavailable');
    expect(await failureOf(download(['http://127.0.0.1:1/T0KEN']))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('failed (ECONNREFUSED). Try again later'),
    });
  });
});
