import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../../functions/vss/error-codes.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../../functions/vss/record.ts';
import { openSessions } from '../../../../infra/analytics/duckdb/session-database.ts';
import { writeExport } from '../../../../infra/analytics/duckdb/write-export.ts';
import { makePage, type PageOptions } from '../../../../infra/analytics/report/page.ts';
import { printable } from '../../../../infra/analytics/report/wording.ts';
import { chargesOf } from '../../../bench/charges.ts';
import { generateItems } from '../../../bench/sessions.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../charged.ts';
import { chromiumPath, launchChromium } from '../chromium.ts';
import { exportOf, newFolder, TABLE } from '../exported.ts';
import { cardIn, pageOf, started, times, undated } from './report-of.ts';

/**
 * The page of `npx vss-webhook report` is correct and readable in any browser, whatever 8x8 delivered. It says what it
 * covers and what is missing in it, and reveals no phone number and no session id.
 */

const RECEIVED = '2026-01-13T10:00:00.000Z';
const TIME = Date.parse('2026-11-21T02:00:00Z');

const session = (payload: Readonly<Record<string, unknown>>): SessionRecord =>
  newRecord(receivedSummary(summaryOf(summaryBody(payload)), RECEIVED));

/** A session with one leg. */
const called = (sessionId: string, leg: object, payload: object = {}): SessionRecord =>
  session({ sessionId, ...payload, details: { callA: { callId: `leg-${sessionId}`, ...leg } } });

/** Creates the page of the export in a folder. */
async function pageOfExport(folder: string, options: Partial<PageOptions> = {}): Promise<string> {
  const { connection, time, close } = await openSessions(folder, () => {}, { needsHistory: false });
  try {
    return (await makePage(connection, { time, timeZone: 'UTC', scope: {}, ...options })).html;
  } finally {
    close();
  }
}

const withoutStyle = (page: string) => page.replace(/<style>.*<\/style>/s, '');

/** Matches what a page contains if it does not handle a missing value. */
const BROKEN = /NaN|Invalid|undefined|null|Infinity/;

/** Matches markup with which a browser runs a script or fetches a resource. */
const ACTIVE = /<(?:script|img|iframe|object|link|image|use|foreignObject)\b|<[^>]*\son\w+=|url\(|@import/i;

const SESSIONS = 1_200;
const DAMAGED = {
  data: 'charges',
  from: '2026-11-12',
  to: '2026-11-12',
  text: 'The charges of sub-account <acme> are missing.',
} as const;

let report: string;
let hostile: string;
beforeAll(async () => {
  const folder = newFolder();
  const items = [...generateItems(SESSIONS, TIME)];
  await writeExport(folder, { tableArn: TABLE, items, fileCount: 2, time: TIME });
  for (const file of chargesOf(items)) writeCharges(folder, file);
  report = await pageOfExport(folder, { incomplete: [DAMAGED] });
  hostile = await hostilePage();
});

describe('the page of an export', () => {
  it('states the main finding of each chart', () => {
    const findings: [title: string, finding: RegExp][] = [
      ['Outcomes over time', /answered and \d+\.\d% failed\. The busiest day was /],
      ['Outcomes by country', /Singapore has the most sessions: \d+\. \S+/],
      ['Errors', /most frequent error is “No coverage available for requested area”/],
      ['Call quality', /scored legs were good or excellent, \S+ poor or bad\./],
      ['Worst routes', /SG-VN is the worst route, with a mean MOS of 3\.\d\d over \d+ legs\./],
      ['Talk time', /\d\d\d sessions with a talk time of \d+ h \d+ min in total\. The median is \d+ s/],
      ['Busy hours', /The busiest hour is \d\d:00 to \d\d:00 UTC/],
      ['Opt-outs', /opted out in \d+ sessions?, and had already opted out before \d+ sessions?\./],
      ['Conflicts and duplicates', /8x8 delivered conflicting summaries for \d sessions?;/],
      ['Unrecognised fields', /payload\.dtmf/],
      ['What calls cost', /In 8x8’s log export, 1,\d\d\d legs cost [\d.]+ USD, [\d.]+ SGD\./],
      ['Cost over time in USD', /The most expensive day is \d+ (Oct|Nov), with [\d.]+ USD\./],
      ['Cost by country in USD', /Philippines costs the most: [\d.]+ USD\./],
      ['Cost by product in SGD', /Voice Messaging costs the most: [\d.]+ SGD\./],
      ['SIP codes of failures', /the most frequent code: [45]0\d [A-Z]/],
      [
        'Reconciliation',
        /0 sessions were reconstructed from 8x8’s log export\. Every session in the log export has a record\. (?:No delivered session is|\d delivered sessions? (?:is|are)) absent from it\./,
      ],
    ];
    for (const [title, finding] of findings) expect(cardIn(report, title)).toMatch(finding);
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
    const page = await pageOfExport(
      await exportOf([
        ...Array.from({ length: 30 }, (_, i) => called(`d${i}`, leg('DE', 4.3))),
        ...Array.from({ length: 30 }, (_, i) => called(`f${i}`, leg('FR', 3.5))),
        session({ sessionId: 'a', ...failed }),
        session({ sessionId: 'b', sessionStatus: 'COMPLETED_UNSUB_ERROR' }),
        merge(...conflicting),
        session({ sessionId: 'old', startTime: '1970-01-01T00:00:00Z' }),
        session({ sessionId: 'nothing', sessionStatus: null, startTime: null, endTime: null }),
      ]),
    );

    expect(page).toContain(
      '<p><span>8x8_test</span>, <span>65 sessions</span>, <span>2026-01-13</span>, <span>data as of 2026-11-21 02:00 UTC</span></p>',
    );
    expect(page).toContain('<dt>Answered</dt><dd class="value">95.4%</dd><dd class="note">62 sessions</dd>');
    expect(page).toContain('<dt>Mean MOS</dt><dd class="value">3.90</dd><dd class="note">60 legs</dd>');
    expect(page).toContain('<dt>Median talk time</dt><dd class="value">33 s</dd>');
    expect(page).toContain('<dt>Conflicts</dt><dd class="value">1</dd>');
    expect(page).toContain('<dt>Incomplete</dt><dd class="value">1</dd><dd class="note">1.5%</dd>');
    expect(cardIn(page, 'Outcomes over time')).toContain('2026-01-13 61 1 1 0 Not in the chart 1 0 0 1');
    expect(cardIn(page, 'Outcomes by country')).toContain('Germany DE 30 30 0 0 0 100.0% 0.0%');
    expect(cardIn(page, 'Errors')).toContain('-2010 The trunk capacity has been exceeded 1 yes');
    expect(cardIn(page, 'Call quality')).toContain('3.5 Poor 30 4.3 Excellent 30');
    expect(cardIn(page, 'Worst routes')).toContain('SG-DE Singapore Germany 4.30 30 100.0% 0.0%');
    expect(cardIn(page, 'Talk time')).toContain('30 s to less than 1 min 60 100.0%');
    expect(cardIn(page, 'Busy hours')).toContain('08:00 63 61 96.8%');
    expect(cardIn(page, 'Opt-outs')).toContain('The opt-out failed in 1 session');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
    expect(page.length).toBeLessThan(80_000);
  });

  it('covers the legs of its days and sub-accounts, but all records and charges count as known', async () => {
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
    const page = await pageOfExport(folder, {
      scope: { from: '2026-01-13', to: '2026-01-13', subAccounts: ['8x8_test'] },
    });

    expect(cardIn(page, 'What calls cost')).toContain('2 legs cost 0.02 USD.');
    expect(cardIn(page, 'Reconciliation')).toContain(
      'Every session in the log export has a record. No delivered session is absent from it. Created by',
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

  it.each([
    ['+65\u00a09123\u00a04567 is busy', '+(number) is busy'],
    ['+65/9123/4567', '+(number)'],
    ['call 9123-45-67', 'call (number)'],
    ['\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17', '(number)'],
    ['\u0669\u0661\u0662\u0663\u0664\u0665\u0666', '(number)'],
    ['session 4dcc312684e411f0edaa36434ef2510c', 'session (id)'],
    ['Error -2004 of 13 legs', 'Error -2004 of 13 legs'],
    ['payload.details.callA.ringSeconds', 'payload.details.callA.ringSeconds'],
    [' \u200b', '(empty)'],
  ])('prints %j as %j', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('escapes and truncates hostile values', () => {
    // The page contains them. Otherwise this test would prove nothing.
    expect(hostile.match(/onerror/g)?.length).toBeGreaterThan(10);
    expect(hostile).not.toMatch(ACTIVE);
    expect(hostile).not.toMatch(/[\u202e\0]/);
    expect(hostile.length).toBeLessThan(120_000);
    expect(cardIn(hostile, 'Outcomes by country')).toContain('19 others');
    expect(cardIn(hostile, 'Errors')).toContain('29 other codes');
  });
});

describe('the page', () => {
  it('has no cards without sessions, and says that there are none', async () => {
    const page = await pageOf({});

    expect(page).not.toMatch(/<svg|<section/);
    expect(page).toContain('<p>The export has no sessions in this period.</p>');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('is complete for a single session, and for one of which nothing is known', async () => {
    const one = await pageOf({ sessions: [{}] });
    const none = await pageOf({
      sessions: [{ session_status: null, outcome: 'other', is_incomplete: true, ...undated }],
      call_legs: [undated],
    });

    expect(one).toContain(
      '<title>Voice sessions: 8x8_test, 1 session, 2026-01-13, data as of 2026-11-21 02:00 UTC</title>',
    );
    expect(none).toContain(
      '<title>Voice sessions: 8x8_test, 1 session, data as of 2026-11-21 02:00 UTC</title>',
    );
    expect(withoutStyle(one + none)).not.toMatch(BROKEN);
  });

  it('names its filters, covers only what they allow, and compares that with the period before', async () => {
    const at = (day: string, more: object = {}) => ({
      ...started(`2026-01-${day}`, 10),
      country: 'SG',
      ...more,
    });
    const failed = { session_status: 'FAILED', outcome: 'failed' };
    const page = await pageOf(
      {
        sessions: [
          at('08'),
          at('10'),
          at('11', failed),
          at('12'),
          at('13'),
          at('14', { session_status: 'BUSY', outcome: 'unanswered', session_id: 'busy' }),
          at('13', { sub_account_id: 'other' }),
          at('13', { country: 'DE' }),
          at('13', { country: null }),
          at('15'),
        ],
        call_legs: [
          { session_id: 'busy', mos: 4, mos_band: 'good', ...started('2026-01-14') },
          { session_id: 'sessions-7', mos: 1, mos_band: 'bad' },
        ],
        call_charges: [{ session_id: 'busy', charge_date: '2026-01-14' }, { session_id: 'sessions-7' }],
      },
      {
        scope: { from: '2026-01-12', to: '2026-01-14', subAccounts: ['8x8_test'], countries: ['SG'] },
        stage: 'prod',
      },
    );

    expect(page).toContain(
      '<p><span>stage prod</span>, <span>8x8_test</span>, <span>3 sessions</span>, <span>2026-01-12 to 2026-01-14</span>, <span>data as of 2026-11-21 02:00 UTC</span></p>',
    );
    expect(page).toContain(
      '<p><span>only sub-account 8x8_test</span>, <span>only country Singapore</span>, <span>only from 2026-01-12</span>, <span>only to 2026-01-14</span>, <span>compared with 2026-01-09 to 2026-01-11</span></p>',
    );
    expect(page).toContain('<dt>Sessions</dt><dd class="value">3</dd><dd class="note">+50.0%</dd>');
    expect(page).toContain('<dt>Answered</dt><dd class="value">66.7%</dd><dd class="note">+16.7 points</dd>');
    expect(page).toContain('<dt>Failed</dt><dd class="value">0.0%</dd><dd class="note">−50.0 points</dd>');
    expect(page).toContain('<dt>Mean MOS</dt><dd class="value">4.00</dd><dd class="note">1 leg</dd>');
    expect(cardIn(page, 'What calls cost')).toContain('1 leg cost 0.01 USD.');
    // The charges of one country do not tell which of its sessions are missing.
    expect(page).not.toContain('<h2>Reconciliation');
  });

  it('covers the sessions whose country is unknown', async () => {
    const page = await pageOf(
      { sessions: [{ country: null }, { country: 'SG' }] },
      { scope: { countries: ['??'] } },
    );

    expect(page).toContain('<span>1 session</span>');
    expect(page).toContain('<span>only country Unknown</span>');
  });

  it('compares a day that has just begun with the same hours of the period before', async () => {
    const everyHour = Array.from({ length: 20 }, (_, day) => `2026-11-${String(day + 1).padStart(2, '0')}`)
      .flatMap((day) => Array.from({ length: 24 }, (_, hour) => started(day, hour)))
      .concat([started('2026-11-21', 0), started('2026-11-21', 1)]);
    const page = await pageOf({ sessions: everyHour }, { scope: { from: '2026-11-15' } });

    expect(page).toContain('<dt>Sessions</dt><dd class="value">146</dd><dd class="note">±0.0%</dd>');
    expect(page).toContain('<span>compared with 2026-11-08 to 2026-11-14 02:00</span>');
  });

  it('counts a session without a start at the time of its receipt in the period before', async () => {
    const received = (time: string) => ({
      ...undated,
      session_date: time.slice(0, 10),
      received_at: `${time}Z`,
    });
    const page = await pageOf(
      {
        sessions: [
          started('2026-11-19'),
          received('2026-11-20 01:59:59'),
          received('2026-11-20 02:00:00'),
          started('2026-11-21', 1),
        ],
      },
      { scope: { from: '2026-11-21' } },
    );

    expect(page).toContain('<dt>Sessions</dt><dd class="value">1</dd><dd class="note">±0.0%</dd>');
  });

  it('compares no averages when only the period before has sessions', async () => {
    const page = await pageOf(
      { sessions: [started('2026-01-12'), started('2026-01-13')] },
      { scope: { from: '2026-01-14', to: '2026-01-15' } },
    );

    expect(page).toContain('<dt>Sessions</dt><dd class="value">0</dd><dd class="note">−100.0%</dd>');
    expect(withoutStyle(page)).not.toMatch(BROKEN);
  });

  it('is not compared with a period that the exports do not cover, or in which data is missing', async () => {
    const rows = { sessions: [started('2026-01-11'), started('2026-01-12'), started('2026-01-13')] };
    const comparison = async (from: string, to: string, gap?: string) => {
      const lack = { data: 'sessions', from: gap, to: `${gap}T01:00:00Z`, text: '' } as const;
      const page = await pageOf(rows, { scope: { from, to }, ...(gap && { incomplete: [lack] }) });
      return /compared with [^<]*/.exec(page)?.[0];
    };

    expect(await comparison('2026-01-13', '2026-01-13')).toBe('compared with 2026-01-12');
    expect(await comparison('2026-01-12', '2026-01-14')).toBeUndefined();
    expect(await comparison('2026-01-13', '2026-01-13', '2026-01-12')).toBeUndefined();
    expect(await comparison('2026-01-13', '2026-01-13', '2026-01-10')).toBe('compared with 2026-01-12');
  });

  it('states what is incomplete, when, and what that does to the numbers', async () => {
    const page = await pageOf(
      { sessions: [{}] },
      {
        timeZone: 'Asia/Singapore',
        incomplete: [
          DAMAGED,
          { data: 'sessions', to: '2026-01-10T02:00:00.000Z', text: 'Only incremental exports.' },
          { data: 'sessions', from: '2026-01-11T02:00:00Z', to: '2026-01-12T02:00:00Z', text: 'A gap.' },
          { data: 'sessions', text: 'No manifest.' },
        ],
      },
    );

    expect(page).toContain('<h2>The data is incomplete</h2>');
    expect(page.match(/<li><b>.*<\/li>/g)).toEqual([
      '<li><b>2026-11-12</b>: The charges of sub-account &lt;acme&gt; are missing.</li>',
      '<li><b>Before 2026-01-10 10:00</b>: Only incremental exports.</li>',
      '<li><b>2026-01-11 10:00 to 2026-01-12 10:00</b>: A gap.</li>',
      '<li><b>All days</b>: No manifest.</li>',
    ]);
    const many = await pageOf({}, { incomplete: times(12, '', {}).map(() => DAMAGED) });
    expect(many).toContain('<li>And 2 more, which the command printed.</li>');
    expect(await pageOf({ sessions: [{}] })).not.toContain('incomplete');
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
  return pageOfExport(exported);
}

/** A page with every documented error, in countries with long names, over three years. */
const pageOfErrors = () =>
  pageOf({
    sessions: [...ERROR_CODES].map(([error_code], i) => ({
      error_code,
      outcome: 'failed',
      country: i % 2 === 0 ? 'VC' : 'MM',
      sub_account_id: i % 2 === 0 ? '' : 'W'.repeat(50),
      ...started(`${2024 + (i % 3)}-${String(1 + (i % 12)).padStart(2, '0')}-01`),
    })),
    call_charges: [{ total_price: 123_456_789_012 }, { total_price: 1, destination_country: 'W'.repeat(60) }],
  });

const Violations = v.object({
  violations: v.array(v.object({ id: v.string(), nodes: v.array(v.object({ html: v.string() })) })),
});
const Charts = v.array(
  v.object({ label: v.string(), width: v.number(), height: v.number(), coloured: v.number() }),
);
const Texts = v.array(v.object({ text: v.string(), fill: v.string(), surface: v.string() }));

if (chromiumPath === undefined)
  console.warn('SKIPPED: the tests of the report in a browser need Chromium. Set CHROMIUM to its path.');

describe.skipIf(chromiumPath === undefined)('the page in a browser', () => {
  const PHONE = { width: 390, height: 844 };
  const DESKTOP = { width: 1_280, height: 900 };
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await launchChromium();
    // The tests run scripts in the page, which its Content-Security-Policy forbids.
    context = await browser.newContext({ bypassCSP: true, viewport: DESKTOP });
    page = await context.newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
  });
  afterAll(() => browser.close());

  /** Opens a page in the browser, and expands all of its tables. Returns its address. */
  async function open(html: string): Promise<string> {
    const file = join(newFolder(), 'report.html');
    writeFileSync(file, html);
    const { href } = pathToFileURL(file);
    [requests.length, complaints.length] = [0, 0];
    await page.goto(href);
    await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
    return href;
  }

  /** The texts in charts that are not entirely inside. */
  const textsOutside = () =>
    page.evaluate(`[...document.querySelectorAll('svg text')].filter((text) => {
      const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()];
      return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    }).map((text) => text.textContent)`);

  /** The texts below a chart that overlap the next one. */
  const textsOverlapping = () =>
    page.evaluate(`[...document.querySelectorAll('svg')].flatMap((svg) => {
      const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
      return boxes.flatMap(([text, a], i) => boxes.slice(i + 1).some(([, b]) =>
        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) ? [text] : []);
    })`);

  const scrolledWidth = () => page.evaluate('document.documentElement.scrollWidth');

  it('is accessible, shows all charts with sufficient contrast in both colour schemes, and needs no network', async () => {
    const href = await open(report);
    expect(requests).toEqual([href]);
    expect(complaints).toEqual([]);

    expect(
      await page.evaluate(
        `[...document.querySelectorAll('section')].map((each) => each.querySelectorAll('tbody tr').length > 0)`,
      ),
    ).toEqual(Array.from({ length: 25 }, () => true));
    const charts = v.parse(
      Charts,
      await page.evaluate(`[...document.querySelectorAll('[role=img]')].map((chart) => ({
        label: chart.ariaLabel,
        width: chart.getBoundingClientRect().width,
        height: chart.getBoundingClientRect().height,
        coloured: chart.querySelectorAll('path[fill^="var(--"]').length,
      }))`),
    );
    expect(charts).toHaveLength(20);
    for (const { label, width, height, coloured } of charts) {
      expect(label).toMatch(/^(?:Columns|Bars|Line|Squares): /);
      expect(width).toBeGreaterThan(280);
      expect(height).toBeGreaterThan(60);
      expect(coloured).toBeGreaterThan(0);
    }

    // The further rows are like the first, and each takes axe some milliseconds.
    await page.evaluate(
      'for (const { tBodies: [body] } of document.querySelectorAll("table")) while (body.rows.length > 2) body.deleteRow(2)',
    );
    await page.evaluate(axe.source);
    for (const [colorScheme, viewport, rules] of [
      ['light', DESKTOP, {}],
      // The others depend neither on colours nor on the width.
      ['dark', PHONE, { runOnly: ['color-contrast', 'scrollable-region-focusable', 'target-size'] }],
    ] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const { violations } = v.parse(
        Violations,
        await page.evaluate(`axe.run(${JSON.stringify({ resultTypes: ['violations'], ...rules })})`),
      );
      expect(violations).toEqual([]);
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
    }
  });

  it.each([
    // The report shows all columns of the tables of costs.
    { name: 'the report', html: async () => report, shortened: [] },
    { name: 'a report of hostile values', html: async () => hostile, shortened: expect.anything() },
    {
      name: 'a report of every error that 8x8 documents, over three years',
      html: pageOfErrors,
      shortened: expect.anything(),
    },
  ])(
    'keeps every text of a chart inside the chart and off the others, and fits the width of a phone: $name',
    async ({ html, shortened }) => {
      await page.setViewportSize(DESKTOP);
      const href = await open(await html());
      expect(await textsOutside()).toEqual([]);
      expect(await textsOverlapping()).toEqual([]);
      expect(requests).toEqual([href]);
      expect(complaints).toEqual([]);

      await page.setViewportSize(PHONE);
      expect(await scrolledWidth()).toBe(PHONE.width);
      expect(
        await page.evaluate(`[...document.querySelectorAll('.scroll')]
          .filter((each) => each.ariaLabel.startsWith('Cost') && each.scrollWidth > each.clientWidth)
          .map((each) => each.ariaLabel)`),
      ).toEqual(shortened);
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
