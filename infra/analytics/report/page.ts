import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Incomplete } from '../duckdb/notice.ts';
import type { Card } from './card.ts';
import { readCharges } from './charge-facts.ts';
import { COST_CARDS } from './cost-cards.ts';
import { DATA_CARDS } from './data-cards.ts';
import { documentOf, type Warning } from './document.ts';
import { ERROR_CARDS } from './error-cards.ts';
import { readCountries, readFacts, type Scope } from './facts.ts';
import { costFigure, headlineOf, readTotals } from './headline.ts';
import { OUTCOME_CARDS } from './outcome-cards.ts';
import { gapsIn, lastDay, localTime, minutes, periodBefore, periodOf } from './period.ts';
import { previousPeriod } from './previous-period.ts';
import { QUALITY_CARDS } from './quality-cards.ts';
import type { Report } from './report.ts';
import { rowsOf } from './rows.ts';
import { readTimeline } from './timeline.ts';
import { USAGE_CARDS } from './usage-cards.ts';
import { counted, countryName, days, subAccountName } from './wording.ts';

export interface PageOptions {
  /** The point in time of the data (ISO 8601). */
  time: string;
  timeZone: string;
  scope: Scope;
  /** The stage of the data, if known. */
  stage?: string | undefined;
  /** What the exports and the charges lack. */
  incomplete?: readonly Incomplete[];
}

/** A report and its contents. */
export interface Page {
  html: string;
  sessions: number;
  /** `2026-10-22 to 2026-11-20`, or undefined if no day is known. */
  range: string | undefined;
  /** `data as of 2026-11-21 02:00 UTC`. */
  asOf: string;
}

/** Reads what the cards are made of. */
export async function readReport(
  connection: DuckDBConnection,
  { time, timeZone, scope, incomplete = [] }: PageOptions,
): Promise<Report> {
  const period = periodOf(scope, time, timeZone, gapsIn(incomplete, 'sessions', timeZone));
  const gaps = gapsIn(incomplete, 'charges', timeZone);
  await readCountries(connection, scope);
  await readFacts(connection, scope, periodBefore(period));
  return {
    connection,
    scope,
    timeZone,
    period,
    totals: await readTotals(connection),
    timeline: await readTimeline(connection, 'session_facts', period),
    charges: await readCharges(connection, { scope, timeZone, gaps }),
  };
}

/** Creates the report of the sessions in a database. */
export async function makePage(connection: DuckDBConnection, options: PageOptions): Promise<Page> {
  const { time, timeZone, scope, stage, incomplete = [] } = options;
  const report = await readReport(connection, options);
  const { totals, timeline, charges, period } = report;
  const before = await previousPeriod(connection, period);
  const cards = await cardsOf(report);
  const range = timeline && days(timeline.first, timeline.last);
  const asOf = `data as of ${minutes(localTime(time, timeZone))} ${timeZone}`;
  const subject = [
    ...(stage === undefined ? [] : [`stage ${stage}`]),
    await subAccountsIn(connection),
    counted(totals.sessions, 'session'),
    ...(range === undefined ? [] : [range]),
    asOf,
  ].filter((part) => part !== '');
  return {
    html: documentOf({
      subject,
      notes: [...filtersOf(scope), ...(before ? [`compared with ${before.range}`] : [])],
      warnings: warningsOf(incomplete, timeZone),
      timeZone,
      figures: headlineOf(totals, before?.totals, charges && costFigure(charges, lastDay(period))),
      cards,
    }),
    sessions: totals.sessions,
    range,
    asOf,
  };
}

/** What limits the report. */
function filtersOf({ from, to, subAccounts = [], countries = [] }: Scope): string[] {
  return [
    ...subAccounts.map((id) => `only sub-account ${subAccountName(id)}`),
    ...countries.map((code) => `only country ${code === '??' ? 'Unknown' : countryName(code)}`),
    ...(from === undefined ? [] : [`only from ${from}`]),
    ...(to === undefined ? [] : [`only to ${to}`]),
  ];
}

function warningsOf(incomplete: readonly Incomplete[], timeZone: string): Warning[] {
  const at = (time: string) => (time.length === 10 ? time : minutes(localTime(time, timeZone)));
  const spanOf = ({ from, to }: Incomplete) => {
    if (to === undefined) return 'All days';
    return from === undefined ? `Before ${at(to)}` : days(at(from), at(to));
  };
  return incomplete.map((each) => ({ time: spanOf(each), text: each.text }));
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
