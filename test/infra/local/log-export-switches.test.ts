import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COLUMNS } from '../../../infra/local/fake-8x8/log-export-rows.ts';
import { LogExportSwitches } from '../../../infra/local/fake-8x8/log-export-switches.ts';
import { example, summaryBody } from '../../functions/summaries.ts';
import { ALL, type FakeLogExport, KEY, oneCall, rowsIn, startFakeLogExport } from './fake-log-export.ts';

/** Each switch of the log export has its effect. log-export.test.ts covers the log export without any. */

let fake: FakeLogExport;
beforeEach(async () => {
  fake = await startFakeLogExport();
});
afterEach(() => fake.stop());

const WITH_KEY = { headers: { Authorization: `Bearer ${KEY}` } };

/** The file of one session, with these switches. */
function fileWith(switches: object, body: string = oneCall()): Promise<string> {
  fake.api.sessions.add(body);
  fake.set(switches);
  return fake.exported();
}

async function rowWith(switches: object, body?: string): Promise<Record<string, string>> {
  const [row = {}] = rowsIn(await fileWith(switches, body));
  return row;
}

const headerOf = (file: string) => file.slice(0, file.search(/\r?\n/)).split(',');

it('rejects an unknown switch', () => {
  expect(v.is(LogExportSwitches, {})).toBe(true);
  expect(v.is(LogExportSwitches, { poll: 3 })).toBe(false);
});

describe('the job', () => {
  it('is done at the first poll with polls 0', async () => {
    fake.set({ polls: 0 });

    expect(await fake.poll(await fake.start(ALL))).toEqual({ status: 'empty' });
  });

  it.each(['empty', 'failed', 'error', 'cancelled', 'archived'])('ends with the status %s', async (final) => {
    fake.api.sessions.add(oneCall());
    fake.set({ final });

    for (let i = 0; i < 2; i++) expect(await fake.done(ALL)).toEqual({ status: final });
  });

  it('ends with another status for each of the next jobs', async () => {
    fake.api.sessions.add(oneCall());
    fake.set({ final: ['failed', 'error'] });

    const statuses = [await fake.done(ALL), await fake.done(ALL), await fake.done(ALL)];
    expect(statuses.map(({ status }) => status)).toEqual(['failed', 'error', 'succeeded']);
  });

  it('succeeds without rows', async () => {
    fake.set({ final: 'succeeded' });

    expect(await fake.exported()).toBe(`${COLUMNS.join()}\n`);
  });
});

describe('the files', () => {
  it.each([
    ['every', [true, true, true]],
    ['first', [true, false, false]],
    ['none', [false, false, false]],
  ])('share the rows of each session, with a header in %s', async (headers, expected) => {
    fake.set({ links: 3, headers });
    const bodies = ['ivr-busy', 'ivr-hangup', 'ivr-answered'].map(example);
    for (const body of bodies) fake.api.sessions.add(body);

    const links = await fake.linksOf(ALL);
    const files = await Promise.all(links.map(fake.textOf));
    expect(files.map((file) => file.startsWith('SessionId,'))).toEqual(expected);
    const lines = files.flatMap((file) => file.trim().split('\n')).filter((line) => !line.startsWith('Sess'));
    expect(lines).toHaveLength(5);
    const busy = files.filter((file) => file.includes('ece96728-f059-11f0-baa6-c147150ab00e'));
    expect(busy).toHaveLength(2);
  });

  it('have a byte order mark', async () => {
    expect(await fileWith({ bom: true })).toMatch(/^\uFEFFSessionId,/);
    expect(await fileWith({ bom: false })).toMatch(/^SessionId,/);
  });

  it('have CRLF line ends', async () => {
    expect((await fileWith({ crlf: true })).match(/\r\n/g)).toHaveLength(2);
    expect(await fileWith({ crlf: false })).not.toContain('\r');
  });

  it('are compressed, as files or only while they are transferred', async () => {
    const plain = await fileWith({});

    fake.set({ gzip: 'file' });
    const [file = ''] = await fake.linksOf(ALL);
    const compressed = await fake.download(file);
    expect(compressed.headers.get('Content-Encoding')).toBeNull();
    expect(gunzipSync(await compressed.bytes()).toString()).toBe(plain);
    fake.set({ gzip: 'transfer' });
    const transferred = await fake.download(file);
    expect(transferred.headers.get('Content-Encoding')).toBe('gzip');
    expect(await transferred.text()).toBe(plain);
  });

  it('have other content', async () => {
    expect(await fileWith({ content: 'PK\u0003\u0004' })).toBe('PK\u0003\u0004');
  });
});

describe('the header', () => {
  it.each([
    ['lower', 'sessionid', 'initiatedat', 'sourcemcc'],
    ['upper', 'SESSIONID', 'INITIATEDAT', 'SOURCEMCC'],
    ['snake', 'session_id', 'initiated_at', 'source_mcc'],
  ])('is in %s case', async (headerCase, ...names) => {
    expect(headerOf(await fileWith({ headerCase }))).toEqual(expect.arrayContaining(names));
  });

  it('has another order, like the rows', async () => {
    const [documented, reversed] = [await rowWith({}), await rowWith({ columnOrder: 'reversed' })];

    expect(Object.keys(reversed)).toEqual(COLUMNS.toReversed());
    expect(reversed).toMatchObject(documented);
  });

  it('has additional columns, and lacks others', async () => {
    const row = await rowWith({ extraColumns: ['Region'], missingColumns: ['MOS', 'CallId'] });

    expect(row['Region']).toBe('');
    expect(Object.keys(row)).toHaveLength(COLUMNS.length - 1);
    expect(Object.keys(row)).not.toContain('MOS');
  });
});

describe('a row', () => {
  it.each([
    ['z', '2026-01-13T23:29:06Z', '2026-01-13T23:29:06.250Z'],
    ['offset', '2026-01-14T07:29:06+08:00', '2026-01-14T07:29:06.250+08:00'],
    ['none', '2026-01-13T23:29:06', '2026-01-13T23:29:06.250'],
    ['space', '2026-01-13 23:29:06', '2026-01-13 23:29:06.250'],
  ])('has its times in the format %s', async (timeFormat, whole, fraction) => {
    const times = async (startTime: string) =>
      (await rowWith({ timeFormat }, oneCall({ startTime })))['InitiatedAt'];

    expect(await times('2026-01-13T23:29:06Z')).toBe(whole);
    fake.api.sessions.clear();
    expect(await times('2026-01-13T23:29:06.250Z')).toBe(fraction);
  });

  it('has another spelling of what is missing', async () => {
    expect(await rowWith({ null: 'N/A' })).toMatchObject({
      MOS: 'N/A',
      Content: 'N/A',
      CallStatus: 'COMPLETED',
    });
  });

  it('has masked numbers, and numbers without a plus sign', async () => {
    const numbers = { SourceEndpoint: '+656833****', DestinationEndpoint: '+1231437****' };
    expect(await rowWith({ masked: true })).toMatchObject(numbers);
    expect(await rowWith({ plus: false })).toMatchObject({ SourceEndpoint: '6568332048' });
  });

  it('has ISO country codes', async () => {
    const codes = { SourceCountryCode: '702', DestinationCountryCode: '840' };
    expect(await rowWith({ countryCode: 'iso-numeric' })).toMatchObject(codes);
    expect(await rowWith({})).toMatchObject({ SourceCountryCode: '65', DestinationCountryCode: '1' });
  });

  it('exists for a session without legs', async () => {
    const legless = summaryBody({ sessionStatus: 'ERROR', details: {} });

    expect(await rowWith({}, legless)).toEqual({});
    expect(await rowWith({ legless: 'present' }, legless)).toMatchObject({
      CallId: '',
      InitiatedAt: '2026-01-13T08:26:58Z',
      SessionStatus: 'ERROR',
    });
  });
});

describe('the rows', () => {
  const sessionIds = async () => (await fake.rows()).map(({ SessionId }) => SessionId);

  it('are shuffled, in the same way every time', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `in-order-${String(i).padStart(2, '0')}`);
    for (const sessionId of ids) fake.api.sessions.add(oneCall({ sessionId }));
    expect(await sessionIds()).toEqual(ids);

    fake.set({ rowsShuffled: true });
    const shuffled = await sessionIds();
    expect(shuffled).not.toEqual(ids);
    expect(shuffled.toSorted()).toEqual(ids);
    expect(await sessionIds()).toEqual(shuffled);
  });

  it('include broken ones', async () => {
    const lines = (await fileWith({ brokenRows: 2 })).trim().split('\n');

    expect(lines.slice(1, 3)).toEqual(['broken-0,x', 'broken-1,x']);
    expect(lines).toHaveLength(4);
  });

  it('are selected by the time at which a call was disconnected', async () => {
    const over = { from: '2026-01-14', to: '2026-01-15' };
    fake.api.sessions.add(oneCall({ startTime: '2026-01-13T23:59:59Z', seconds: 10 }));
    expect(await fake.rows(over)).toEqual([]);

    fake.set({ filterBy: 'disconnected' });
    expect(await fake.rows(over)).toHaveLength(1);
  });

  it('include those at the end of the range', async () => {
    const until = { from: '2026-01-13', to: '2026-01-13T08:29:06Z' };
    fake.api.sessions.add(oneCall({ startTime: '2026-01-13T08:29:06Z' }));
    expect(await fake.rows(until)).toEqual([]);

    fake.set({ toInclusive: true });
    expect(await fake.rows(until)).toHaveLength(1);
  });

  it('appear after a lag', async () => {
    fake.set({ lag: 60 });
    fake.api.sessions.add(oneCall());
    fake.advance(59_000);
    expect(await fake.rows()).toEqual([]);

    fake.advance(1_000);
    expect(await fake.rows()).toHaveLength(1);
  });
});

describe('prices', () => {
  const pricesWith = async (switches: object) => {
    fake.set(switches);
    return (await fake.rows()).map(({ UnitPrice, UnitPriceCurrency }) => [UnitPrice, UnitPriceCurrency]);
  };

  it('are in several currencies', async () => {
    for (let i = 0; i < 50; i++) fake.api.sessions.add(oneCall());

    const currencies = (await pricesWith({ currencies: ['USD', 'SGD', 'EUR'] })).map(
      ([, currency]) => currency,
    );
    expect(new Set(currencies)).toEqual(new Set(['USD', 'SGD', 'EUR']));
  });

  it('are higher in every export after the first', async () => {
    fake.api.sessions.add(oneCall());

    const [[first = ''] = []] = await pricesWith({ reRate: true });
    const [[second = ''] = []] = await pricesWith({ reRate: true });
    const [[third = ''] = []] = await pricesWith({ reRate: true });
    expect(Number(second)).toBeGreaterThan(Number(first));
    expect(third).toBe(second);
    expect(await pricesWith({ reRate: false })).toEqual([[first, 'USD']]);
  });
});

describe('a download', () => {
  /** The link to a file of one session. */
  async function linkWith(switches: object): Promise<string> {
    fake.api.sessions.add(oneCall());
    fake.set(switches);
    const [link = ''] = await fake.linksOf(ALL);
    return link;
  }
  const statusOf = async (link: string, init: RequestInit = {}) => (await fetch(link, init)).status;

  it.each([
    ['required', 200, 401],
    ['ignored', 200, 200],
    ['refused', 403, 200],
  ])('has its key %s', async (downloadAuth, withKey, without) => {
    const link = await linkWith({ downloadAuth });

    expect([await statusOf(link, WITH_KEY), await statusOf(link)]).toEqual([withKey, without]);
  });

  it('is redirected to another origin, which refuses the key', async () => {
    const link = await linkWith({ redirect: 'object-store' });

    const redirected = await fetch(link, { ...WITH_KEY, redirect: 'manual' });
    const location = redirected.headers.get('Location') ?? '';
    expect(redirected.status).toBe(302);
    expect(new URL(location).origin).not.toBe(new URL(link).origin);
    expect([await statusOf(location, WITH_KEY), await statusOf(location)]).toEqual([400, 200]);
    expect(rowsIn(await (await fetch(location)).text())).toHaveLength(1);
  });

  it('is redirected without end, and anywhere', async () => {
    const link = await linkWith({ redirect: 'loop' });
    const redirected = await fetch(link, { ...WITH_KEY, redirect: 'manual' });
    expect(redirected.headers.get('Location')).toBe(link);

    fake.set({ redirect: 'http://192.0.2.1/file' });
    const elsewhere = await fetch(link, { ...WITH_KEY, redirect: 'manual' });
    expect(elsewhere.headers.get('Location')).toBe('http://192.0.2.1/file');
  });

  it('ends in the middle, with a closed connection or silently, as many times as wanted', async () => {
    const link = await linkWith({ cut: { after: 700, downloads: 1 } });
    const [cut, whole] = [await fetch(link, WITH_KEY), await fetch(link, WITH_KEY)];
    await expect(cut.bytes()).rejects.toThrow();
    expect((await whole.bytes()).length).toBeGreaterThan(700);

    fake.set({ cut: { after: 700, silently: true } });
    expect((await (await fetch(link, WITH_KEY)).bytes()).length).toBe(700);
  });

  it('has a length, also if it ends before', async () => {
    const link = await linkWith({ contentLength: true });
    const whole = await fetch(link, WITH_KEY);
    const length = (await whole.bytes()).length;
    expect(whole.headers.get('Content-Length')).toBe(String(length));

    fake.set({ contentLength: true, cut: { after: 10 } });
    const cut = await fetch(link, WITH_KEY);
    expect(cut.headers.get('Content-Length')).toBe(String(length));
    await expect(cut.bytes()).rejects.toThrow();
  });

  it('expires', async () => {
    const link = await linkWith({ expires: 60 });
    fake.advance(59_000);
    expect(await statusOf(link, WITH_KEY)).toBe(200);

    fake.advance(1_000);
    expect(await statusOf(link, WITH_KEY)).toBe(404);
    fake.set({ expires: 0 });
    const [expired = ''] = await fake.linksOf(ALL);
    expect(await statusOf(expired, WITH_KEY)).toBe(404);
  });
});

describe('an error', () => {
  it('has the fields of the schema', async () => {
    fake.set({ errorShape: 'statusCode' });
    const response = await fake.request('GET', 'exports/nothing');

    expect([response.status, await response.json()]).toEqual([
      404,
      {
        statusCode: '4018',
        statusMessage: 'Invalid jobId',
        errorId: expect.any(String),
        timestamp: expect.stringMatching(/Z$/),
      },
    ]);
  });
});

describe('a fault', () => {
  it.each([
    ['start', 'POST', 'exports'],
    ['poll', 'GET', 'exports/job'],
    ['cancel', 'DELETE', 'exports/job'],
    ['download', 'GET', 'download/token'],
  ])('applies to the next %s only', async (on, method, path) => {
    const others = [
      ['POST', 'exports'],
      ['GET', 'exports/job'],
      ['DELETE', 'exports/job'],
      ['GET', 'download/token'],
    ].filter(([, other]) => other !== path);
    fake.set(
      {},
      {
        faults: [
          { on, fault: 503 },
          { on: 'download', fault: 429 },
        ],
      },
    );

    for (const [otherMethod = '', otherPath = ''] of others.filter(([, other]) => other !== 'download/token'))
      expect((await fake.request(otherMethod, otherPath)).status).not.toBe(503);
    expect((await fake.request(method, path)).status).toBe(503);
    expect((await fake.request(method, path)).status).not.toBe(503);
  });

  it('applies to every request with stays, and to none about webhooks', async () => {
    fake.set({}, { faults: [{ on: 'log-export', fault: 401 }], stays: true });

    for (const path of ['exports', 'exports/job', 'download/token'])
      expect((await fake.request('GET', path)).status).toBe(401);
    const webhooks = await fetch(`${fake.url}/api/v1/subaccounts/8x8_test/webhooks`, WITH_KEY);
    expect(webhooks.status).toBe(200);
  });

  it('leaves the log export alone if it is plain', async () => {
    fake.set({}, { faults: [500] });

    expect((await fake.request('POST', 'exports')).status).toBe(202);
    const webhooks = await fetch(`${fake.url}/api/v1/subaccounts/8x8_test/webhooks`, WITH_KEY);
    expect(webhooks.status).toBe(500);
  });

  it('can lose the answer of a request that has its effect, or has it later', async () => {
    fake.api.sessions.add(oneCall());
    fake.set(
      { reRate: true },
      {
        faults: [
          { on: 'start', fault: 'dropped-after' },
          { on: 'start', fault: 'dropped-before' },
        ],
      },
    );

    for (let i = 0; i < 2; i++) await expect(fake.request('POST', 'exports')).rejects.toThrow();
    fake.set({ reRate: true });
    // The first of the lost requests made an export, so this is not the first.
    const [row] = await fake.rows();
    fake.set({});
    const [original] = await fake.rows();
    expect(Number(row?.['UnitPrice'])).toBeGreaterThan(Number(original?.['UnitPrice']));
  });

  it('can delay an answer, omit its body, and tell 429 when to try again', async () => {
    fake.set(
      {},
      {
        faults: [
          { on: 'start', fault: 'slow' },
          { on: 'start', fault: 'no-body' },
          { on: 'start', fault: 429 },
        ],
      },
    );

    expect((await fake.request('POST', 'exports')).status).toBe(202);
    expect(fake.paused()).toBe(11_000);
    expect(await (await fake.request('POST', 'exports')).text()).toBe('');
    expect((await fake.request('POST', 'exports')).headers.get('Retry-After')).toBe('2');
  });
});
