import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogExportSwitches } from '../../../infra/local/fake-8x8/switches.ts';
import { example } from '../../functions/summaries.ts';
import { ALL, type FakeLogExport, KEY, oneCall, startFakeLogExport } from './fake-log-export.ts';

/** Each switch of the log export has its effect. log-export.test.ts covers the log export without any. */

let fake: FakeLogExport;
beforeEach(async () => {
  fake = await startFakeLogExport();
});
afterEach(() => fake.stop());

const WITH_KEY = { headers: { Authorization: `Bearer ${KEY}` } };

it('rejects an unknown switch', () => {
  expect(v.is(LogExportSwitches, {})).toBe(true);
  expect(v.is(LogExportSwitches, { poll: 3 })).toBe(false);
});

it('finishes a job at the first poll with polls 0', async () => {
  fake.set({ polls: 0 });

  expect(await fake.poll(await fake.start(ALL))).toEqual({ status: 'empty' });
});

describe('the files', () => {
  it.each([
    ['every', [true, true, true]],
    ['first', [true, false, false]],
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

  it('have prices in several currencies', async () => {
    for (let i = 0; i < 50; i++) fake.api.sessions.add(oneCall());
    fake.set({ currencies: ['USD', 'SGD', 'EUR'] });

    const currencies = (await fake.rows()).map(({ UnitPriceCurrency }) => UnitPriceCurrency);
    expect(new Set(currencies)).toEqual(new Set(['USD', 'SGD', 'EUR']));
  });

  it('end in the middle, as many times as wanted', async () => {
    fake.api.sessions.add(oneCall());
    fake.set({ cut: { after: 700, downloads: 1 } });
    const [link = ''] = await fake.linksOf(ALL);

    const [cut, whole] = [await fetch(link, WITH_KEY), await fetch(link, WITH_KEY)];
    await expect(cut.bytes()).rejects.toThrow();
    expect((await whole.bytes()).length).toBeGreaterThan(700);
  });

  it('expire after a month', async () => {
    fake.api.sessions.add(oneCall());
    const [link = ''] = await fake.linksOf(ALL);
    fake.advance(30 * 86_400_000 - 1);
    expect((await fetch(link, WITH_KEY)).status).toBe(200);

    fake.advance(1);
    expect((await fetch(link, WITH_KEY)).status).toBe(404);
  });
});

describe('a fault', () => {
  it.each([
    ['start', 'POST', 'exports'],
    ['poll', 'GET', 'exports/job'],
    ['download', 'GET', 'download/token'],
  ])('applies to the next %s only', async (on, method, path) => {
    const others = [
      ['POST', 'exports'],
      ['GET', 'exports/job'],
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

  it('can lose the answer of a request', async () => {
    const lost = ['dropped-after', 'dropped-before'].map((fault) => ({ on: 'start', fault }));
    fake.set({}, { faults: lost });

    for (let i = 0; i < 2; i++) await expect(fake.request('POST', 'exports')).rejects.toThrow();
    expect((await fake.request('POST', 'exports')).status).toBe(202);
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
