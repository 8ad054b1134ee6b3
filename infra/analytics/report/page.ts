import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { type Card, cardMarkup } from './card.ts';
import { readCharges } from './charge-facts.ts';
import { COST_CARDS } from './cost-cards.ts';
import { DATA_CARDS } from './data-cards.ts';
import { ERROR_CARDS } from './error-cards.ts';
import { readFacts, type Scope } from './facts.ts';
import { type HeadlineFigure, headlineOf, readTotals } from './headline.ts';
import { html } from './html.ts';
import { OUTCOME_CARDS } from './outcome-cards.ts';
import { previousPeriod } from './previous-period.ts';
import { QUALITY_CARDS } from './quality-cards.ts';
import type { Report } from './report.ts';
import { rowsOf } from './rows.ts';
import { STYLESHEET } from './stylesheet.ts';
import { readTimeline } from './timeline.ts';
import { USAGE_CARDS } from './usage-cards.ts';
import { counted, days, subAccountName } from './wording.ts';

export interface PageOptions {
  /** The point in time of the data (ISO 8601). */
  time: string;
  timeZone: string;
  scope: Scope;
  /** The stage of the data, if known. */
  stage: string | undefined;
}

/** A report and its contents. */
export interface Page {
  html: string;
  sessions: number;
  /** `2026-10-22 to 2026-11-20`, or undefined if no day is known. */
  range: string | undefined;
}

/** Creates the report of the sessions in a database. */
export async function makePage(connection: DuckDBConnection, options: PageOptions): Promise<Page> {
  const { timeZone, scope } = options;
  await readFacts(connection, scope);
  const totals = await readTotals(connection);
  const timeline = await readTimeline(connection);
  const range = timeline && days(timeline.first, timeline.last);
  const before = await previousPeriod(connection, scope, timeline, dayOf(options.time, timeZone));
  const charges = await readCharges(connection, scope);
  const cards = await cardsOf({ connection, scope, timeZone, sessions: totals.sessions, timeline, charges });
  const subject = [
    ...(options.stage === undefined ? [] : [`stage ${options.stage}`]),
    await subAccountsIn(connection),
    counted(totals.sessions, 'session'),
    ...(range === undefined ? [] : [range]),
  ].filter((part) => part !== '');
  const notes = [`as of ${minuteOf(options.time)}`, ...(before ? [`compared with ${before.range}`] : [])];
  const figures = headlineOf(totals, before?.totals);
  return { html: document({ subject, notes, timeZone, figures, cards }), sessions: totals.sessions, range };
}

const CARDS = [
  ...OUTCOME_CARDS,
  ...ERROR_CARDS,
  ...QUALITY_CARDS,
  ...USAGE_CARDS,
  ...COST_CARDS,
  ...DATA_CARDS,
];

async function cardsOf(report: Report): Promise<Card[]> {
  const cards = [];
  for (const make of CARDS) cards.push(await make(report));
  return cards.flat().filter((card) => card !== undefined);
}

const SubAccount = v.object({ sub_account_id: v.string() });
const MAX_SUB_ACCOUNTS = 3;

async function subAccountsIn(connection: DuckDBConnection): Promise<string> {
  const rows = await rowsOf(
    connection,
    SubAccount,
    'SELECT sub_account_id FROM session_facts GROUP BY 1 ORDER BY count(*) DESC, 1',
  );
  if (rows.length > MAX_SUB_ACCOUNTS) return counted(rows.length, 'sub-account');
  return rows.map(({ sub_account_id: id }) => subAccountName(id)).join(', ');
}

interface Content {
  subject: readonly string[];
  notes: readonly string[];
  timeZone: string;
  figures: readonly HeadlineFigure[];
  cards: readonly Card[];
}

function document({ subject, notes, timeZone, figures, cards }: Content): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Voice sessions: ${subject.join(', ')}</title>
<style>${{ markup: STYLESHEET }}</style>
</head>
<body>
<header>
<h1>Voice sessions</h1>
<p>${subject.map((part) => html`<span>${part}</span>, `)}${notes.map((note, i) => html`${i > 0 ? ', ' : ''}<span>${note}</span>`)}</p>
</header>
<main>
<dl>
${figures.map(figureMarkup)}</dl>
${
  cards.length === 0
    ? html`<p>The export has no sessions in this period.</p>`
    : html`<div class="cards">
${cards.map(cardMarkup)}</div>`
}
</main>
<footer>Created by <code>npx vss-webhook report</code>. Days and hours are in the time zone ${timeZone}. This page contains no phone numbers and no session ids.</footer>
</body>
</html>
`.markup;
}

function figureMarkup({ name, value, note, change }: HeadlineFigure) {
  const notes = [change, note].filter((text) => text !== undefined);
  return html`<div><dt>${name}</dt><dd class="value">${value}</dd>${notes.map((text) => html`<dd class="note">${text}</dd>`)}</div>\n`;
}

/** The day of a time in a time zone: `2026-11-21`. */
function dayOf(time: string, timeZone: string): string {
  // Swedish dates are those of ISO 8601.
  return new Date(time).toLocaleDateString('sv', { timeZone });
}

/** Formats a time as `2026-11-21 02:00 UTC`. */
function minuteOf(time: string): string {
  const [, day, minute] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(time) ?? [];
  return day === undefined ? time : `${day} ${minute} UTC`;
}
