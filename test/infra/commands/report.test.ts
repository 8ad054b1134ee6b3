import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { openSessions } from '../../../infra/analytics/duckdb/session-database.ts';
import { writeExport } from '../../../infra/analytics/duckdb/write-export.ts';
import { makePage, type PageOptions } from '../../../infra/analytics/report/page.ts';
import { printable } from '../../../infra/analytics/report/wording.ts';
import { chargesOf } from '../../bench/charges.ts';
import { generateItems } from '../../bench/sessions.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../analytics/charged.ts';
import { chromiumPath, launchChromium } from '../analytics/chromium.ts';
import { exportOf, newFolder, TABLE } from '../analytics/exported.ts';
import { vssWebhook } from './vss-webhook.ts';

/**
 * The page of `npx vss-webhook report` is correct and readable in any browser, whatever 8x8 delivered, and reveals no phone
 * number and no session id.
 */

const RECEIVED = '2026-01-13T10:00:00.000Z';
const TIME = Date.parse('2026-11-21T02:00:00Z');

const session = (payload: Readonly<Record<string, unknown>>): SessionRecord =>
  newRecord(receivedSummary(summaryOf(summaryBody(payload)), RECEIVED));

/** A session with one leg. */
const called = (sessionId: string, leg: object, payload: object = {}): SessionRecord =>
  session({ sessionId, ...payload, details: { callA: { callId: `leg-${sessionId}`, ...leg } } });

/** Creates the page of the export in a folder. */
async function pageOf(folder: string, options: Partial<PageOptions> = {}): Promise<string> {
  const { connection, time, close } = await openSessions(folder, () => {}, { needsHistory: false });
  try {
    return (await makePage(connection, { time, timeZone: 'UTC', scope: {}, stage: undefined, ...options }))
      .html;
  } finally {
    close();
  }
}

const pageOfRecords = async (records: readonly object[]) => pageOf(await exportOf(records));

/** The text of the card with this title, on one line. */
function card(page: string, title: string): string {
  const found = page.split('<section').find((section) => section.includes(`<h2>${title}</h2>`));
  if (found === undefined) throw new Error(`The page has no card ${title}`);
  return found
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const withoutStyle = (page: string) => page.replace(/<style>.*<\/style>/s, '');

/** Matches what a page contains if it does not handle a missing value. */
const BROKEN = /NaN|Invalid|undefined|null|Infinity/;

/** The fields that may be missing in a summary that is recorded. */
const NOTHING_KNOWN = { sessionStatus: null, startTime: null, endTime: null };

/** Matches markup with which a browser runs a script or fetches a resource. */
const ACTIVE = /<(?:script|img|iframe|object|link|image|use|foreignObject)\b|<[^>]*\son\w+=|url\(|@import/i;

const SESSIONS = 1_200;
let folder: string;
let report: string;
let hostile: string;
beforeAll(async () => {
  folder = newFolder();
  const items = generateItems(SESSIONS, TIME);
  await writeExport(folder, { tableArn: TABLE, items, fileCount: 2, time: TIME });
  for (const file of chargesOf(generateItems(SESSIONS, TIME))) writeCharges(folder, file);
  report = await pageOf(folder);
  hostile = await hostilePage();
});

describe('npx vss-webhook report', () => {
  const command = (args: readonly string[], cwd?: string) => vssWebhook(['report', ...args], { cwd });

  it('writes the page, replaces an existing file, and prints the number and dates of the sessions', async () => {
    const out = join(newFolder(), 'page.html');
    writeFileSync(out, 'an older report, which is longer'.repeat(100_000));

    const { stdout, code } = await command([folder, '--out', out]);

    expect(stdout).toBe(`${out}: 1,200 sessions, 2026-10-22 to 2026-11-20\n`);
    expect(code).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(report);
  });

  it('writes to report.html by default', async () => {
    const cwd = newFolder();

    const { stdout } = await command([await exportOf([])], cwd);

    expect(stdout).toBe('report.html: 0 sessions\n');
    expect(existsSync(join(cwd, 'report.html'))).toBe(true);
  });

  it.each([
    {
      args: [],
      message: 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX. See: npx vss-webhook report --help',
      expected: 2,
    },
    { args: ['/nowhere'], message: expect.stringContaining('/nowhere'), expected: 1 },
  ])('prints on one line what is wrong with $args', async ({ args, message, expected }) => {
    const { stdout, stderr, code } = await command(args);

    expect(stderr.trimEnd()).toEqual(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(stdout).toBe('');
    expect(code).toBe(expected);
  });

  it('fails when the folder of the page does not exist', async () => {
    const { stderr, code } = await command([await exportOf([]), '--out', '/nowhere/page.html']);

    expect(stderr).toBe('The folder /nowhere does not exist: create it, or name another file with --out.\n');
    expect(code).toBe(1);
  });
});

describe('what calls cost', () => {
  it('is stated by currency, country and product, with the failures and the differences to the log export', () => {
    expect(card(report, 'What calls cost')).toMatch(
      /In 8x8’s log export, 1,\d\d\d legs cost [\d.]+ USD, [\d.]+ SGD\./,
    );
    expect(card(report, 'Cost over time in USD')).toMatch(
      /The most expensive day is \d+ (Oct|Nov), with [\d.]+ USD\./,
    );
    expect(card(report, 'Cost by country in USD')).toMatch(/Philippines costs the most: [\d.]+ USD\./);
    expect(card(report, 'Cost by product in SGD')).toMatch(/Voice Messaging costs the most: [\d.]+ SGD\./);
    expect(card(report, 'SIP codes of failures')).toMatch(/the most frequent code: [45]0\d [A-Z]/);
    expect(card(report, 'Reconciliation')).toMatch(
      /Reconciliation 0 sessions were reconstructed from 8x8’s log export\. Every session in the log export has a record\. (?:No delivered session is|\d delivered sessions? (?:is|are)) absent from it\./,
    );
  });

  it('is left out without charges, though not the sessions that were reconstructed', async () => {
    const page = await pageOfRecords([
      session({ sessionId: 'a' }),
      { ...session({ sessionId: 'b' }), reconstructedFrom: 'log-export' },
    ]);

    expect(page).not.toMatch(/What calls cost|SIP codes|<h2>Cost/);
    expect(card(page, 'Reconciliation')).toMatch(
      /Reconciliation 1 session was reconstructed from 8x8’s log export\. Numbers/,
    );
    expect(await pageOfRecords([session({ sessionId: 'a' })])).not.toContain('<h2>Reconciliation');
  });

  it('covers the legs of the days and sub-accounts of the report, but all records and charges count as known', async () => {
    const folder = await exportOf([
      session({ sessionId: 'a' }),
      session({ sessionId: 'b', startTime: '2026-01-12T23:59:59Z' }),
    ]);
    writeCharges(folder, {
      rows: [chargeRow('a', '1'), chargeRow('b', '1'), chargeRow('c', '1', { SubAccountId: 'other' })],
    });
    writeCharges(folder, {
      day: '2026-01-12',
      rows: [chargeRow('d', '1', { InitiatedAt: '2026-01-12T10:00:00.000Z' })],
    });
    const page = await pageOf(folder, {
      scope: { from: '2026-01-13', to: '2026-01-13', subAccounts: ['8x8_test'] },
    });

    expect(card(page, 'What calls cost')).toContain('2 legs cost 0.02 USD.');
    expect(card(page, 'Reconciliation')).toContain(
      'Every session in the log export has a record. No delivered session is absent from it. Created by',
    );
  });

  it('states the differences and the legs without a price in correct grammar for one and for several', async () => {
    const pageWith = async (recorded: readonly string[], charged: readonly string[]) => {
      const folder = await exportOf(
        recorded.map((sessionId) => session({ sessionId, startTime: '2026-01-13T10:00:00Z' })),
      );
      const rows = charged.map((id) =>
        chargeRow(id, '1', id.startsWith('free') ? { TotalPriceOfCall: '' } : {}),
      );
      writeCharges(folder, { rows });
      return pageOf(folder);
    };
    const one = await pageWith(['a', 'b'], ['a', 'free-1']);
    const two = await pageWith(['a', 'b', 'c'], ['a', 'free-1', 'free-2']);

    expect(card(one, 'Reconciliation')).toContain(
      '1 session in the log export has no record. 1 delivered session is absent from it. The saved queries',
    );
    expect(card(two, 'Reconciliation')).toContain(
      '2 sessions in the log export have no record. 2 delivered sessions are absent from it. The saved queries',
    );
    expect(card(one, 'What calls cost')).toContain('Of 2 legs, 1 has no readable price.');
    expect(card(two, 'What calls cost')).toContain('Of 3 legs, 2 have no readable price.');
  });
});

describe('the page', () => {
  it('states the main finding of each chart', () => {
    expect(card(report, 'Outcomes over time')).toMatch(/answered and \d+\.\d% failed\. The busiest day was /);
    expect(card(report, 'Outcomes by country')).toMatch(/Singapore has the most sessions: \d+\. \S+/);
    expect(card(report, 'Errors')).toMatch(
      /most frequent error is “No coverage available for requested area”/,
    );
    expect(card(report, 'Call quality')).toMatch(/scored legs were good or excellent, \S+ poor or bad\./);
    expect(card(report, 'Worst routes')).toMatch(
      /SG-VN is the worst route, with a mean MOS of 3\.\d\d over \d+ legs\./,
    );
    expect(card(report, 'Talk time')).toMatch(
      /\d\d\d sessions with a talk time of \d+ h \d+ min in total\. The median is \d+ s/,
    );
    expect(card(report, 'Busy hours')).toMatch(/The busiest hour is \d\d:00 to \d\d:00 UTC/);
    expect(card(report, 'Opt-outs')).toMatch(
      /The contact opted out in \d+ sessions?, and had already opted out before \d+ sessions?\./,
    );
    expect(card(report, 'Conflicts and duplicates')).toMatch(
      /8x8 delivered conflicting summaries for \d sessions?;/,
    );
    expect(card(report, 'Unrecognised fields')).toMatch(/payload\.dtmf/);
  });

  it('contains the numbers of the records', async () => {
    const leg = (country: string, mos: number) => ({
      callDirection: 'OUTBOUND',
      sourceCountryCode: 'SG',
      destinationCountryCode: country,
      connectedTimestamp: '2026-01-13T08:27:00Z',
      callDuration: 33,
      callQuality: { mos },
    });
    const failed = { errorDetails: { errorCode: -2010, errorMsg: 'full' }, sessionStatus: 'ERROR' };
    const conflicting = [
      session({ sessionId: 'c' }),
      session({ sessionId: 'c', lastAction: 'SAY' }),
    ] as const;
    const page = await pageOfRecords([
      ...Array.from({ length: 30 }, (_, i) => called(`d${i}`, leg('DE', 4.3))),
      ...Array.from({ length: 30 }, (_, i) => called(`f${i}`, leg('FR', 3.5))),
      session({ sessionId: 'a', ...failed }),
      session({ sessionId: 'b', sessionStatus: 'COMPLETED_UNSUB_ERROR' }),
      merge(...conflicting),
    ]);

    expect(page).toContain(
      '<p><span>8x8_test</span>, <span>63 sessions</span>, <span>2026-01-13</span>, <span>as of 2026-11-21 02:00 UTC</span></p>',
    );
    expect(page).toContain('<dt>Answered</dt><dd class="value">96.8%</dd><dd class="note">61 sessions</dd>');
    expect(page).toContain('<dt>Mean MOS</dt><dd class="value">3.90</dd><dd class="note">60 legs</dd>');
    expect(page).toContain('<dt>Median talk time</dt><dd class="value">33 s</dd>');
    expect(page).toContain('<dt>Conflicts</dt><dd class="value">1</dd>');
    expect(card(page, 'Outcomes over time')).toContain('2026-01-13 61 1 1');
    expect(card(page, 'Outcomes by country')).toContain('Germany DE 30 30 0 0 100.0% 0.0%');
    expect(card(page, 'Errors')).toContain('-2010 The trunk capacity has been exceeded 1 yes');
    expect(card(page, 'Call quality')).toContain('3.5 Poor 30 4.3 Excellent 30');
    expect(card(page, 'Worst routes')).toContain(
      'SG-FR is the worst route, with a mean MOS of 3.50 over 30 legs.',
    );
    expect(card(page, 'Worst routes')).toContain('SG-DE Singapore Germany 4.30 30 100.0% 0.0%');
    expect(card(page, 'Talk time')).toContain('30 s to less than 1 min 60 100.0%');
    expect(card(page, 'Busy hours')).toContain('08:00 63 61 96.8%');
    expect(card(page, 'Opt-outs')).toContain('The opt-out failed in 1 session');
    expect(card(page, 'Conflicts and duplicates')).toContain(
      '8x8 delivered conflicting summaries for 1 session',
    );
  });

  it('forbids browsers to run scripts and to fetch resources', () => {
    expect(report).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    );
    expect(report).not.toMatch(ACTIVE);
  });

  it('contains no phone number and no session id', () => {
    expect(report).not.toMatch(/\+\d{6,}/);
    expect(report).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  });

  it('masks phone numbers and ids in error messages and field names', async () => {
    const id = '4dcc3126-84e4-11f0-edaa-36434ef2510c';
    const page = await pageOfRecords([
      session({
        sessionId: id,
        [`for +6591234567 in ${id}`]: 1,
        errorDetails: { errorCode: -7, errorMsg: `+65 9123 4567 does not answer in ${id}` },
      }),
    ]);

    expect(card(page, 'Errors')).toContain('+(number) does not answer in (id)');
    expect(card(page, 'Unrecognised fields')).toContain('+(number) in (id)');
    expect(page).not.toMatch(/9123 ?45/);
    expect(page).not.toContain(id.slice(0, 8));
  });

  it.each([
    ['+65\u00a09123\u00a04567 is busy', '+(number) is busy'],
    ['+65/9123/4567', '+(number)'],
    ['call 9123-45-67', 'call (number)'],
    ['\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17', '(number)'],
    ['\u0669\u0661\u0662\u0663\u0664\u0665\u0666', '(number)'],
    ['session 4dcc312684e411f0edaa36434ef2510c', 'session (id)'],
    ['Error -2004 of 13 legs', 'Error -2004 of 13 legs'],
    ['payload.details.callA.ringSeconds', 'payload.details.callA.ringSeconds'],
  ])('prints %j as %j', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('counts the errors in which a retry can help', async () => {
    const errorDetails = (errorCode: number) => ({ errorDetails: { errorCode } });
    const page = await pageOfRecords([
      session({ sessionId: 'a', ...errorDetails(-2010) }),
      session({ sessionId: 'b', ...errorDetails(-2004) }),
      session({ sessionId: 'c', ...errorDetails(-2004) }),
    ]);

    expect(card(page, 'Errors')).toContain('A retry can help in 33.3% of the sessions with an error.');
  });

  it('says how good calls are, how long, and which day was the worst', async () => {
    const leg = (mos: number, callDuration: number) => ({ callQuality: { mos }, callDuration });
    const startTime = '2026-01-12T10:00:00Z';
    const page = await pageOfRecords([
      ...Array.from({ length: 18 }, (_, i) => called(`g${i}`, leg(4.4, 10))),
      called('poor', leg(3.2, 20), { startTime }),
      called('bad', leg(2, 30), { startTime, sessionStatus: 'BUSY' }),
    ]);

    expect(card(page, 'Call quality')).toContain(
      '90.0% of 20 scored legs were good or excellent, 10.0% poor or bad.',
    );
    expect(card(page, 'Talk time')).toContain('The median is 10 s, the 95th percentile 20 s.');
    expect(card(page, 'Answer rate')).toContain('The lowest day is 12 Jan with 50.0%, of 2 sessions;');
  });

  it('compares the failure rates of countries with at least thirty sessions', async () => {
    const to = (country: string, sessions: number, failed: number) =>
      Array.from({ length: sessions }, (_, i) =>
        called(
          `${country}${i}`,
          { callDirection: 'OUTBOUND', destinationCountryCode: country },
          { sessionStatus: i < failed ? 'FAILED' : 'COMPLETED' },
        ),
      );
    const page = await pageOfRecords([...to('SG', 30, 3), ...to('DE', 31, 2), ...to('FR', 2, 2)]);

    expect(card(page, 'Outcomes by country')).toContain('Singapore, 10.0% of 30 sessions.');
  });

  it('says how many sub-accounts and fields it does not show, and counts sessions with many summaries', async () => {
    const alternates = Array.from({ length: 4 }, (_, i) => ({
      ...session({ sessionId: 's0' }),
      digest: `${i}`,
    }));
    const page = await pageOfRecords(
      Array.from({ length: 13 }, (_, i) => ({
        ...session({ sessionId: `s${i}`, subAccountId: `account${i}`, [`new${i}`]: 1, [`other${i}`]: 1 }),
        ...(i === 0 && { alternates }),
      })),
    );

    expect(card(page, 'Outcomes by sub-account')).toContain('The chart shows 12 of 13.');
    expect(card(page, 'Unrecognised fields')).toContain('The table shows the 20 most frequent of 26 fields.');
    expect(card(page, 'Conflicts and duplicates')).toContain('4 or more 2026-01-13 1');
  });

  it('counts a session once if two legs have the same error', async () => {
    const errorDetails = { errorCode: -2010, errorMsg: 'The trunk capacity has been exceeded' };
    const page = await pageOfRecords([
      session({ sessionId: 'a', details: { callA: { errorDetails }, callB: { errorDetails } } }),
      session({ sessionId: 'b', errorDetails: { errorCode: -2003 } }),
    ]);

    expect(card(page, 'Errors')).toContain('-2010 The trunk capacity has been exceeded 1 yes');
    expect(card(page, 'Errors')).toContain('A retry can help in 50.0% of the sessions with an error.');
  });

  it('lists every documented error, even among many undocumented ones', async () => {
    const undocumented = Array.from({ length: 40 }, (_, i) =>
      session({ sessionId: `u${i}`, errorDetails: { errorCode: i % 20 } }),
    );
    const documented = [...ERROR_CODES.keys()].map((errorCode) =>
      session({ sessionId: `d${errorCode}`, errorDetails: { errorCode } }),
    );
    const page = await pageOfRecords([...undocumented, ...documented]);

    for (const { message } of ERROR_CODES.values()) expect(card(page, 'Errors')).toContain(message);
    expect(card(page, 'Errors')).toContain('19 other codes');
  });

  it('has no cards without sessions, and says that there are none', async () => {
    const page = await pageOfRecords([]);

    expect(page).not.toMatch(/<svg|<section/);
    expect(page).toContain('<p>The export has no sessions in this period.</p>');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('shows each value on hover', async () => {
    const page = await pageOfRecords([
      session({ sessionId: 'a' }),
      session({ sessionId: 'b', sessionStatus: 'BUSY' }),
    ]);

    expect(page).toMatch(/<path[^>]*><title>13 Jan, Answered: 1<\/title><\/path>/);
  });

  it('covers only the sub-accounts and the days of its scope, and compares them with the period before', async () => {
    const at = (sessionId: string, day: string, payload: object = {}) => ({
      ...session({ sessionId, startTime: `2026-01-${day}T10:00:00Z`, dtmf: 1, ...payload }),
      receivedAt: `2026-01-${day}T10:10:00Z`,
    });
    const records = [
      at('before', '08'),
      at('a', '10'),
      at('b', '11', { sessionStatus: 'FAILED' }),
      at('c', '12'),
      at('d', '13'),
      at('e', '14', { sessionStatus: 'BUSY' }),
      at('f', '13', { subAccountId: 'other' }),
      at('g', '15'),
    ];
    const scope = { from: '2026-01-12', to: '2026-01-14', subAccounts: ['8x8_test'] };
    const page = await pageOf(await exportOf(records), { scope, stage: 'prod' });

    expect(page).toContain(
      '<p><span>stage prod</span>, <span>8x8_test</span>, <span>3 sessions</span>, <span>2026-01-12 to 2026-01-14</span>, <span>as of 2026-11-21 02:00 UTC</span>, <span>compared with 2026-01-09 to 2026-01-11</span></p>',
    );
    expect(page).toContain('<dt>Sessions</dt><dd class="value">3</dd><dd class="note">+50.0%</dd>');
    expect(page).toContain('<dt>Answered</dt><dd class="value">66.7%</dd><dd class="note">+16.7 points</dd>');
    expect(page).toContain('<dt>Failed</dt><dd class="value">0.0%</dd><dd class="note">−50.0 points</dd>');
    expect(card(page, 'Unrecognised fields')).toContain('payload.dtmf 3');
  });

  it('compares no averages when only the period before has sessions', async () => {
    const folder = await exportOf([
      session({ sessionId: 'a' }),
      session({ sessionId: 'b', startTime: '2026-01-12T10:00:00Z' }),
    ]);
    const page = await pageOf(folder, { scope: { from: '2026-01-14', to: '2026-01-15' } });

    expect(page).toContain('<dt>Sessions</dt><dd class="value">0</dd><dd class="note">−100.0%</dd>');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('is not compared with a period that the exports do not cover, and ends at the export', async () => {
    const folder = await exportOf([
      session({ sessionId: 'a', startTime: '2026-01-11T10:00:00Z' }),
      session({ sessionId: 'b' }),
    ]);

    expect(await pageOf(folder, { scope: { from: '2026-01-12', to: '2026-01-14' } })).not.toContain(
      'compared',
    );
    expect(
      await pageOf(folder, {
        scope: { from: '2026-01-12', to: '2027-01-01' },
        time: '2026-01-12T20:00:00Z',
        timeZone: 'Asia/Singapore',
      }),
    ).not.toContain('compared');
    expect(
      await pageOf(folder, {
        scope: { from: '2026-01-12', to: '2027-01-01' },
        time: '2026-01-12T10:00:00Z',
        timeZone: 'Asia/Singapore',
      }),
    ).toContain('compared with 2026-01-11<');
  });

  it('has no mean MOS over time without a scored leg of a known day, and keeps its axis possible', async () => {
    const day = (sessionId: string, startTime: string, leg: object) => called(sessionId, leg, { startTime });
    const scored = { callQuality: { mos: 1 } };
    const days = [
      day('a', '2026-01-12T10:00:00Z', {}),
      day('b', '2026-01-13T10:00:00Z', {}),
      day('c', '1970-01-01T00:00:00Z', scored),
    ];

    expect(await pageOfRecords(days)).not.toContain('Mean MOS over time');
    const page = await pageOfRecords([...days, day('d', '2026-01-13T11:00:00Z', scored)]);
    expect(card(page, 'Mean MOS over time')).toContain('The lowest day is 13 Jan with 1.00, of 1 leg;');
    expect(card(page, 'Mean MOS over time')).toContain('1.00 2.00 3.00 4.00 5.00');
    expect(card(page, 'Answer rate')).toContain('0.0% 25.0% 50.0% 75.0% 100.0%');
  });

  it('says how many countries the errors by country leave out, and has no columns without a value', async () => {
    const countries = ['DE', 'FR', 'IT', 'ES', 'PT', 'NL', 'BE', 'AT', 'CH'];
    const failed = (sessionId: string, country: string, errorCode: number) =>
      called(
        sessionId,
        { callDirection: 'OUTBOUND', destinationCountryCode: country },
        { errorDetails: { errorCode } },
      );
    const page = await pageOfRecords([
      ...countries.flatMap((country) => [
        failed(country, country, -2004),
        failed(`${country}2`, country, -2004),
      ]),
      failed('x', 'GB', -2010),
    ]);

    expect(card(page, 'Errors by country')).toContain('2 of 19 sessions. The chart shows 8 of 10 countries.');
    expect(card(page, 'Errors by country')).not.toContain('-2010');
  });

  it('ranks the hours of the week by their mean', async () => {
    const at = (sessionId: string, startTime: string) => session({ sessionId, startTime });
    const page = await pageOfRecords([
      at('a', '2026-01-05T10:00:00Z'),
      at('b', '2026-01-05T10:01:00Z'),
      at('c', '2026-01-12T10:00:00Z'),
      at('d', '2026-01-06T11:00:00Z'),
      at('e', '2026-01-06T11:01:00Z'),
    ]);

    expect(card(page, 'Weekdays and hours')).toContain('is Tuesday, 11:00, with 2 sessions on average.');
    expect(page).toContain('<title>Monday, 10:00: 1.5 sessions on average</title>');
  });

  it('shows outcomes by sub-account if there are several', async () => {
    const one = session({ sessionId: 'a' });
    const page = await pageOfRecords([
      one,
      session({ sessionId: 'b', subAccountId: 'other', sessionStatus: 'BUSY' }),
    ]);

    expect(card(page, 'Outcomes by sub-account')).toContain('8x8_test 1 1 0 100.0% other 1 0 1 0.0%');
    expect(await pageOfRecords([one])).not.toContain('Outcomes by sub-account');
  });

  it('shows days and hours in its time zone', async () => {
    const page = await pageOf(
      await exportOf([session({ sessionId: 'a', startTime: '2026-01-12T20:30:00Z' })]),
      { timeZone: 'UTC' },
    );

    expect(card(page, 'Busy hours')).toContain('20:00 to 21:00 UTC');
  });

  it('masks e-mail addresses in messages of 8x8', async () => {
    const errorDetails = { errorCode: 77, errorMsg: 'Contact jane.doe+x@mail.example.com now' };
    const page = await pageOfRecords([session({ sessionId: 'a', errorDetails })]);

    expect(card(page, 'Errors')).toContain('Contact (e-mail) now');
    expect(page).not.toContain('jane');
  });

  it('leaves out values that cannot be right, and says how many', async () => {
    const page = await pageOfRecords([
      called('a', { callQuality: { mos: 93, jitter: -1 }, callDuration: 700_000 }),
    ]);

    expect(card(page, 'Values left out')).toContain('3 values of 1 session cannot be right');
    expect(page).toContain('<dt>Mean MOS</dt><dd class="value">–</dd>');
  });

  it('is complete for a single session', async () => {
    const page = await pageOfRecords([session({ sessionId: 'a' })]);

    expect(page).toContain('<title>Voice sessions: 8x8_test, 1 session, 2026-01-13</title>');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('excludes sessions that start in the years 1, 1970 or 9999 from the charts over time, and reports them', async () => {
    const starts = ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];
    const page = await pageOfRecords([
      session({ sessionId: 'a' }),
      ...starts.map((startTime, i) => session({ sessionId: `b${i}`, startTime })),
    ]);

    expect(page).toContain('<title>Voice sessions: 8x8_test, 4 sessions, 2026-01-13</title>');
    expect(card(page, 'Outcomes over time')).toContain(
      'The chart excludes 3 sessions with a missing, implausible or too old start date.',
    );
    expect(card(page, 'Outcomes over time')).toContain('2026-01-13 1 Not in the chart 3');
    expect(page.length).toBeLessThan(50_000);
  });

  it('counts a session without a status and times, and reports that the charts over time exclude it', async () => {
    const page = await pageOfRecords([
      session({ sessionId: 'a' }),
      session({ sessionId: 'b', ...NOTHING_KNOWN }),
      merge(
        session({ sessionId: 'c', ...NOTHING_KNOWN }),
        session({ sessionId: 'c', ...NOTHING_KNOWN, lastAction: 'SAY' }),
      ),
      session({ sessionId: 'd', ...NOTHING_KNOWN, sessionStatus: 'COMPLETED_UNSUBSCRIBED' }),
    ]);

    expect(page).toContain('<title>Voice sessions: 8x8_test, 4 sessions, 2026-01-13</title>');
    expect(page).toContain('<dt>Incomplete</dt><dd class="value">3</dd><dd class="note">75.0%</dd>');
    expect(card(page, 'Outcomes over time')).toContain(
      'The chart excludes 3 sessions with a missing, implausible or too old start date.',
    );
    expect(card(page, 'Outcomes over time')).toContain('Not in the chart 0 1 2');
    expect(card(page, 'Outcomes by country')).toContain('Unknown 4 1 1 2');
    expect(card(page, 'Busy hours')).toContain('The chart excludes 3 sessions without a start time.');
    expect(card(page, 'Opt-outs')).toContain('The contact opted out in 1 session,');
    expect(card(page, 'Opt-outs')).toContain('Not in the chart 1');
    expect(card(page, 'Conflicts and duplicates')).toContain('Not in the chart 1');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('is complete when no session has a status and times', async () => {
    const page = await pageOfRecords([
      called('a', { callQuality: { mos: 4 } }, NOTHING_KNOWN),
      session({ sessionId: 'b', ...NOTHING_KNOWN, errorDetails: { errorCode: -2004 }, dtmf: 1 }),
    ]);

    expect(page).toContain('<title>Voice sessions: 8x8_test, 2 sessions</title>');
    expect(page).toContain('<dt>Incomplete</dt><dd class="value">2</dd><dd class="note">100.0%</dd>');
    expect(card(page, 'Outcomes over time')).toContain('No session has a plausible start date.');
    expect(page).not.toContain('<h2>Busy hours</h2>');
    expect(card(page, 'Outcomes by country')).toContain('Unknown');
    expect(card(page, 'Unrecognised fields')).toContain('payload.dtmf 1');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('counts no conflict for a record that was written again but has one summary', async () => {
    const page = await pageOfRecords([{ ...session({ sessionId: 'a' }), revision: 3 }]);

    expect(page).toContain('<dt>Conflicts</dt><dd class="value">0</dd>');
    expect(page).not.toContain('<h2>Conflicts and duplicates</h2>');
  });

  it.each([
    { first: '2025-10-30', unit: 'Day', count: 76 },
    { first: '2025-01-30', unit: 'Week starting', count: 51 },
    { first: '2020-01-30', unit: 'Month starting', count: 73 },
    { first: '2016-02-01', unit: 'Year starting', count: 11 },
  ])('groups the sessions since $first into $count rows under "$unit"', async ({ first, unit, count }) => {
    const page = await pageOfRecords([
      session({ sessionId: 'a' }),
      session({ sessionId: 'b', startTime: `${first}T00:00:00Z` }),
    ]);

    const outcomes = page.slice(page.indexOf('<h2>Outcomes over time'), page.indexOf('</section>'));
    expect(outcomes).toContain(`<thead><tr><th scope="col">${unit}</th>`);
    expect(outcomes.match(/<th scope="row">/g)).toHaveLength(count);
    expect(card(page, 'Outcomes over time')).not.toContain('Not in the chart');
  });

  it('shows unknown values as unknown', async () => {
    const page = await pageOfRecords([
      called('a', { callDirection: 'OUTBOUND', callQuality: { mos: 77 } }, { sessionStatus: 'PAUSED' }),
      session({ sessionId: 'b', errorDetails: { errorCode: -7, errorMsg: 'Something new' } }),
    ]);

    expect(card(page, 'Outcomes over time')).toContain('Other');
    expect(card(page, 'Outcomes by country')).toContain('Unknown');
    expect(card(page, 'Errors')).toContain('-7 Something new 1 ?');
    expect(page).not.toContain('<h2>Call quality</h2>');
  });
});

const HOSTILE = `\u202e\u0000</script></style></svg><img src=x onerror=alert(1)>"' onload='alert(1)' &amp;`;

/** A page whose records contain markup in every text that 8x8 may deliver. */
async function hostilePage(): Promise<string> {
  const text = (i: number) => `${HOSTILE}${i}${'long '.repeat(500)}`;
  const exported = await exportOf(
    Array.from(
      { length: 40 },
      (_, i): SessionRecord =>
        Object.assign(
          called(
            `hostile-${i}`,
            {
              callDirection: 'OUTBOUND',
              sourceCountryCode: HOSTILE,
              destinationCountryCode: HOSTILE,
              callQuality: { mos: 3 },
            },
            {
              errorDetails: { errorCode: i, errorMsg: text(i) },
              [`${HOSTILE}${i}`]: text(i),
            },
          ),
          { sessionStatus: HOSTILE },
        ),
    ).concat(
      Array.from({ length: 30 }, (_, i) =>
        called(
          `more-${i}`,
          { callDirection: 'OUTBOUND', destinationCountryCode: text(i) },
          // One word that does not fit into the chart.
          { errorDetails: { errorCode: 999, errorMsg: 'W'.repeat(300) } },
        ),
      ),
    ),
  );
  const rows = Array.from({ length: 40 }, (_, i) =>
    chargeRow(`hostile-${i}`, `leg-${i}`, {
      DestinationCountry: text(i),
      Product: text(i),
      UnitPriceCurrency: i % 2 === 0 ? HOSTILE : text(i),
      TotalPriceOfCall: i % 3 === 0 ? '-0.001' : '999999999999.99',
      CallStatus: 'FAILED',
      SipStatus: String(400 + i),
    }),
  );
  writeCharges(exported, { rows });
  return pageOf(exported);
}

it('the page escapes and truncates hostile values', () => {
  const page = hostile;

  // The page contains them. Otherwise this test would prove nothing.
  expect(page.match(/onerror/g)?.length).toBeGreaterThan(10);
  expect(page).not.toMatch(ACTIVE);
  expect(page).not.toMatch(/[\u202e\0]/);
  expect(page.length).toBeLessThan(120_000);
  expect(card(page, 'Outcomes by country')).toContain('19 others');
  expect(card(page, 'Errors')).toContain('29 other codes');
});

/** A page with every documented error, in countries with long names. */
const pageOfErrors = () =>
  pageOfRecords(
    [...ERROR_CODES].map(([errorCode, { message }], i) =>
      called(
        `error-${i}`,
        { callDirection: 'OUTBOUND', destinationCountryCode: i % 2 === 0 ? 'VC' : 'MM' },
        { errorDetails: { errorCode, errorMsg: message } },
      ),
    ),
  );

const Violations = v.object({
  violations: v.array(v.object({ id: v.string(), nodes: v.array(v.object({ html: v.string() })) })),
});
const Texts = v.array(v.object({ text: v.string(), fill: v.string(), surface: v.string() }));

if (chromiumPath === undefined)
  console.warn('SKIPPED: the tests of the report in a browser need Chromium. Set CHROMIUM to its path.');

describe.skipIf(chromiumPath === undefined)('the page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  const PHONE = { width: 360, height: 780 };
  const views: readonly (BrowserContextOptions & { name: string })[] = [
    { name: 'in the light colour scheme', colorScheme: 'light' },
    { name: 'in the dark colour scheme on a phone', colorScheme: 'dark', viewport: PHONE },
  ];

  /** Opens a page in the browser, and expands all of its tables. */
  async function open(html: string, options: BrowserContextOptions, use: (page: Page) => Promise<void>) {
    const file = join(newFolder(), 'report.html');
    writeFileSync(file, html);
    // The tests run scripts in the page, which its Content-Security-Policy forbids.
    const context = await browser.newContext({ bypassCSP: true, ...options });
    try {
      const page = await context.newPage();
      await page.goto(pathToFileURL(file).href);
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
      await use(page);
    } finally {
      await context.close();
    }
  }

  it.each([
    { name: 'the report', html: async () => report },
    { name: 'a report of hostile values', html: async () => hostile },
    { name: 'an empty report', html: () => pageOfRecords([]) },
  ])('sends no network requests and logs no errors: $name', async ({ html }) => {
    const file = join(newFolder(), 'report.html');
    writeFileSync(file, await html());
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));

    const { href } = pathToFileURL(file);
    await page.goto(href);

    expect(requests).toEqual([href]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it.each(views)('is accessible, and shows all charts with sufficient contrast, $name', async (options) => {
    await open(report, options, async (page) => {
      await page.evaluate(axe.source);
      const { violations } = v.parse(
        Violations,
        await page.evaluate("axe.run({ resultTypes: ['violations'] })"),
      );
      expect(violations).toEqual([]);

      const sections = await page.locator('section').all();
      expect(sections).toHaveLength(25);
      for (const section of sections) expect(await section.locator('tbody tr').count()).toBeGreaterThan(0);

      const charts = await page.getByRole('img').all();
      expect(charts).toHaveLength(20);
      for (const chart of charts) {
        expect(await chart.getAttribute('aria-label')).toMatch(/^(?:Columns|Bars|Line|Squares): /);
        expect(await chart.boundingBox()).toMatchObject({
          width: expect.toSatisfy((width) => width > 280),
          height: expect.toSatisfy((height) => height > 60),
        });
        expect(await chart.locator('path[fill^="var(--"]').count()).toBeGreaterThan(0);
      }

      const texts = v.parse(
        Texts,
        await page.evaluate(`[...document.querySelectorAll('svg text')].map((text) => ({
          text: text.textContent,
          fill: getComputedStyle(text).fill,
          surface: getComputedStyle(text.closest('section')).backgroundColor,
        }))`),
      );
      expect(texts.length).toBeGreaterThan(90);
      expect(texts.filter(({ fill, surface }) => contrast(fill, surface) < 4.5)).toEqual([]);
    });
  });

  it.each([
    { name: 'the report', html: async () => report },
    { name: 'a report of hostile values', html: async () => hostile },
    { name: 'a report of every error that 8x8 documents', html: pageOfErrors },
  ])(
    'keeps every text of a chart inside the chart, and fits the width of a phone: $name',
    async ({ html }) => {
      await open(await html(), {}, async (page) => {
        expect(
          await page.evaluate(`[...document.querySelectorAll('svg text')].filter((text) => {
          const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()];
          return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
        }).map((text) => text.textContent)`),
        ).toEqual([]);

        await page.setViewportSize(PHONE);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
      });
    },
  );
});

/** The contrast of two colours, such as `rgb(1, 2, 3)`. See https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((digits) => {
    const value = Number(digits) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
