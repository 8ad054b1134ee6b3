import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examples } from '../../../infra/local/examples.ts';
import { COLUMNS } from '../../../infra/local/fake-8x8/log-export-rows.ts';
import { example } from '../../functions/summaries.ts';
import {
  ALL,
  type FakeLogExport,
  KEY,
  oneCall,
  rowsIn,
  SUB_ACCOUNT,
  startFakeLogExport,
} from './fake-log-export.ts';

/** The log export of the fake 8x8, as 8x8 describes it. log-export-switches.test.ts covers what the switches change. */

let fake: FakeLogExport;
beforeEach(async () => {
  fake = await startFakeLogExport();
});
afterEach(() => fake.stop());

describe('an export of the published examples', () => {
  it('has one row per leg, under the documented header', async () => {
    for (const { body } of examples) fake.api.sessions.add(body);
    const csv = await fake.exported();
    const rows = rowsIn(csv);

    const legs = examples
      .filter(({ subAccountId }) => subAccountId === SUB_ACCOUNT)
      .flatMap(({ body }) => Object.values<{ callId: string }>(JSON.parse(body).payload.details));
    expect(legs.length).toBeGreaterThan(5);
    expect(csv.slice(0, csv.indexOf('\n')).split(',')).toEqual(COLUMNS);
    expect(rows.map(({ CallId }) => CallId).sort()).toEqual(legs.map(({ callId }) => callId).sort());
  });

  it('shows a busy call as 8x8 summarizes it', async () => {
    fake.api.sessions.add(example('ivr-busy'));

    const [caller, called] = await fake.rows();
    expect(caller).toMatchObject({
      SessionId: 'ece96728-f059-11f0-baa6-c147150ab00e',
      CallId: 'ece96727-f059-11f0-baa6-c93abb37794a',
      SubAccountId: '8x8_test',
      Direction: 'INBOUND',
      SourceCountryCode: '65',
      SourceCountry: 'Singapore',
      SourceMCC: '525',
      SourceEndpoint: '+6591178965',
      DestinationOperator: '',
      DestinationEndpoint: '+6568332048',
      InitiatedAt: '2026-01-13T08:29:06Z',
      ConnectedAt: '2026-01-13T08:29:07Z',
      DisconnectedAt: '2026-01-13T08:29:43Z',
      DurationInSec: '37',
      CallType: 'PSTN',
      SipStatus: '200',
      SessionStatus: 'BUSY',
      CallStatus: 'COMPLETED',
      MOS: '4.5',
    });
    expect(called).toMatchObject({
      Direction: 'OUTBOUND',
      SourceOperator: '',
      DestinationMCC: '525',
      ConnectedAt: '',
      DurationInSec: '0',
      BillableDurationInSec: '0',
      TotalPriceOfCall: '0',
      SipStatus: '486',
      CallStatus: 'BUSY',
      MOS: '',
    });
  });

  it('has no call with the status ERROR, which only summaries have', async () => {
    fake.api.sessions.add(example('voice-messaging-error'));

    expect(await fake.rows()).toMatchObject([{ SessionStatus: 'ERROR', CallStatus: 'FAILED' }]);
  });

  it('quotes the JSON of a campaign', async () => {
    const spoken = oneCall({ lastAction: 'PLAY_TTS' });
    fake.api.sessions.add(spoken);

    const [row] = await fake.rows();
    expect(row?.['Content']).toContain('\n');
    expect(JSON.parse(row?.['Content'] ?? '')).toMatchObject({ callflow: [{ action: 'playTTS' }] });
  });
});

describe('a price', () => {
  it('is that of the billable seconds, exactly', async () => {
    for (let i = 0; i < 200; i++) fake.api.sessions.add(oneCall({ seconds: i }));

    const rows = await fake.rows();
    expect(rows).toHaveLength(200);
    expect(new Set(rows.map(({ BillingIncrement }) => BillingIncrement))).toEqual(new Set(['1+1', '60+60']));
    for (const row of rows) {
      const { DurationInSec, BillableDurationInSec, BillingIncrement, UnitPrice, TotalPriceOfCall } = row;
      const increment = Number(BillingIncrement?.split('+')[0]);
      expect(UnitPrice).toMatch(/^\d+\.\d{4}$/);
      expect(BillableDurationInSec).toBe(String(Math.ceil(Number(DurationInSec) / increment) * increment));
      const units = Number(BillableDurationInSec) / increment;
      expect(tenThousandths(TotalPriceOfCall)).toBe(units * tenThousandths(UnitPrice));
    }
  });

  it('is the same in every export', async () => {
    fake.api.sessions.add(example('ivr-busy'));

    expect(await fake.exported()).toBe(await fake.exported());
  });
});

describe('a job', () => {
  it('is queued, then running, then succeeded, with links that expire in a month', async () => {
    fake.set({ polls: 3 });
    fake.api.sessions.add(example('ivr-busy'));
    const jobId = await fake.start(ALL);

    const polled = [await fake.poll(jobId), await fake.poll(jobId), await fake.poll(jobId)];
    expect(polled).toEqual([{ status: 'queued' }, { status: 'running' }, { status: 'running' }]);
    const done = await fake.poll(jobId);
    expect(done).toEqual({
      status: 'succeeded',
      data: [expect.stringMatching(`^${fake.url}/api/v1/subaccounts/${SUB_ACCOUNT}/messages/download/\\w+$`)],
      expires: new Date(fake.now() + 30 * 86_400_000).toISOString(),
    });
    expect(await fake.poll(jobId)).toEqual(done);
  });

  it('is empty if there are no rows', async () => {
    fake.api.sessions.add(example('ivr-busy'));

    expect(await fake.done({ ...ALL, to: '2026-01-13T08:29:06Z' })).toEqual({ status: 'empty' });
  });

  it('does not contain sessions that 8x8 had after its start', async () => {
    fake.api.sessions.add(example('ivr-busy'));
    const jobId = await fake.start(ALL);
    fake.advance(1_000);
    fake.api.sessions.add(example('ivr-answered'));

    const sessionIds = (rows: Record<string, string>[]) => new Set(rows.map(({ SessionId }) => SessionId));
    expect(sessionIds(await fake.rowsOf(jobId)).size).toBe(1);
    expect(sessionIds(await fake.rows()).size).toBe(2);
  });

  it('contains the latest version of a session, once', async () => {
    for (const sessionStatus of ['BUSY', 'COMPLETED'])
      fake.api.sessions.add(oneCall({ sessionId: 'one', sessionStatus }));

    expect(await fake.rows()).toMatchObject([{ SessionId: 'one', SessionStatus: 'COMPLETED' }]);
  });
});

describe('a request', () => {
  it.each([
    ['POST', 'exports'],
    ['GET', 'exports/some-job'],
    ['DELETE', 'exports/some-job'],
    ['GET', 'download/some-token'],
  ])('%s %s needs the API key', async (method, path) => {
    const response = await fake.request(method, path, { authorization: 'Bearer another' });

    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 1200, errorId: expect.any(String) });
  });

  it('is refused for a sub-account that does not exist', async () => {
    const response = await fetch(`${fake.url}/api/v1/subaccounts/nobody/messages/exports`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${KEY}` },
    });

    expect([response.status, await response.json()]).toMatchObject([404, { code: 1001 }]);
  });

  it('is refused for a job of another sub-account, as for one that does not exist', async () => {
    fake.api.webhooks.set('another', []);
    const jobId = await fake.start(ALL);
    const headers = { Authorization: `Bearer ${KEY}` };
    const url = `${fake.url}/api/v1/subaccounts/another/messages/exports/${jobId}`;

    for (const response of [await fetch(url, { headers }), await fake.request('GET', 'exports/nothing')])
      expect([response.status, await response.json()]).toMatchObject([404, { code: 4018 }]);
  });

  it.each([
    ['no order', { from: '2026-01-02', to: '2026-01-01' }],
    ['no length', { from: '2026-01-01', to: '2026-01-01' }],
    ['no date', { from: 'yesterday' }],
    ['a month too many', { from: '2026-13-01' }],
    ['a space', { from: '2026-01-01 00:00:00' }],
    ['a limit', { limit: 3 }],
  ])('is refused if its range has %s', async (_, range) => {
    const response = await fake.request('POST', 'exports', { body: JSON.stringify(range) });

    expect([response.status, await response.json()]).toMatchObject([422, { code: 1000 }]);
  });

  it('exports the last seven days if it has no range', async () => {
    fake.setTime('2026-01-20T12:00:00Z');
    fake.api.sessions.add(example('ivr-busy'));
    expect(await fake.done(undefined)).toMatchObject({ status: 'succeeded' });

    fake.setTime('2026-01-21T00:00:00Z');
    expect(await fake.done(undefined)).toEqual({ status: 'empty' });
  });

  it.each([
    ['2026-01-13T16:29:06+08:00', 1],
    ['2026-01-13T16:29:07+08:00', 0],
    ['2026-01-13T08:29:06', 1],
    ['2026-01-13T08:29:07', 0],
    ['2026-01-13', 1],
    ['2026-01-14', 0],
  ])('can start its range at %s', async (from, count) => {
    fake.api.sessions.add(oneCall({ startTime: '2026-01-13T08:29:06Z' }));

    expect(await fake.rows({ ...ALL, from })).toHaveLength(count);
  });
});

const tenThousandths = (decimal = '') => Math.round(Number(decimal) * 10_000);
