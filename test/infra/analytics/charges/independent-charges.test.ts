import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHARGE_QUERIES } from '../../../../infra/analytics/charges/charge-queries.ts';
import { DUCKDB } from '../../../../infra/analytics/dialect.ts';
import { openSessions } from '../../../../infra/analytics/duckdb/session-database.ts';
import { makePage } from '../../../../infra/analytics/report/page.ts';
import { SAVED_QUERIES } from '../../../../infra/analytics/saved-queries.ts';
import { writeCharges } from '../charged.ts';
import { exportOf } from '../exported.ts';
import { rowsIn, tableIn } from '../report-tables.ts';
import { numRuns, TABLES } from '../second-calculation.ts';
import {
  type ChargedLeg,
  type ChargeFile,
  chargedLegs,
  decimalText,
  differences,
  inputOf,
  type Recorded,
  rounded,
  sumOf,
} from './second-charges.ts';

/** What calls cost, in the saved queries, the views and the report, equals a second calculation with exact sums. */

const VIEWS = {
  sessions: `SELECT session_id, total_price, currency, billed_seconds, charged_legs, priced_legs FROM sessions_with_charges`,
  legs: 'SELECT session_id, call_id, total_price, currency, sip_status FROM call_legs_with_charges',
};

/** independent-calculation.test.ts calculates the results of the other queries. */
const QUERIES = [...CHARGE_QUERIES, ...SAVED_QUERIES.filter(({ name }) => name === 'reconstructed')];

async function query(records: readonly Recorded[], files: readonly ChargeFile[], timeZone: string) {
  const folder = await exportOf(records.map((stored) => ({ revision: 1, digest: 'd', ...stored })));
  for (const file of files) writeCharges(folder, file);
  const { connection, close } = await openSessions(folder, () => {}, { timeZone, needsHistory: false });
  try {
    const saved = QUERIES.map(({ name, sql }) => [name, sql(DUCKDB)]);
    const rows = new Map<string, Record<string, unknown>[]>();
    for (const [name = '', sql = ''] of [...saved, ...Object.entries(VIEWS)])
      rows.set(name, (await connection.runAndReadAll(sql)).getRowObjectsJson());
    const options = { time: '2026-12-01T00:00:00Z', timeZone, scope: {} };
    return { rows: (name: string) => rows.get(name) ?? [], html: (await makePage(connection, options)).html };
  } finally {
    close();
  }
}

const priceOf = (legs: readonly ChargedLeg[]) => {
  const sum = sumOf(legs.map(({ units }) => units));
  return sum === undefined ? null : decimalText(sum);
};
const secondsOf = (seconds: readonly (number | undefined)[]) => {
  const known = seconds.filter((each) => each !== undefined);
  return known.length === 0 ? null : String(known.reduce((sum, each) => sum + each, 0));
};
const priced = (legs: readonly ChargedLeg[]) => legs.filter(({ units }) => units !== undefined);

/** Compares rows by their keys: every row, and every column in `values`. */
function expectRows(
  rows: readonly Record<string, unknown>[],
  keys: readonly string[],
  legs: readonly ChargedLeg[],
  keyOf: (leg: ChargedLeg) => readonly (string | undefined)[],
  values: (legs: readonly ChargedLeg[]) => Record<string, unknown>,
): void {
  const groups = Map.groupBy(legs, (leg) => JSON.stringify(keyOf(leg).map((key) => key ?? null)));
  const calculated = new Map([...groups].map(([key, group]) => [key, values(group)]));
  const shown = rows.map((row) => {
    const key = JSON.stringify(keys.map((name) => row[name]));
    const names = Object.keys(calculated.get(key) ?? {});
    return [key, Object.fromEntries(names.map((name) => [name, row[name]]))] as const;
  });
  expect(shown).toHaveLength(calculated.size);
  expect(new Map(shown)).toEqual(calculated);
}

const costs = (group: readonly ChargedLeg[]) => ({
  legs: String(group.length),
  priced_legs: String(priced(group).length),
  total_price: priceOf(group),
});
const billedCosts = (group: readonly ChargedLeg[]) => ({
  ...costs(group),
  billed_seconds: secondsOf(group.map(({ billed }) => billed)),
});

function expectQueries(rows: (name: string) => Record<string, unknown>[], legs: readonly ChargedLeg[]): void {
  expectRows(
    rows('cost-by-country-and-day'),
    ['charge_date', 'destination_country', 'currency'],
    legs,
    ({ date, country, currency }) => [date, country, currency],
    billedCosts,
  );
  expectRows(
    rows('cost-by-product'),
    ['product', 'currency'],
    legs,
    ({ product, currency }) => [product, currency],
    billedCosts,
  );
  expectRows(
    rows('cost-per-answered-minute'),
    ['destination_country', 'currency'],
    priced(legs),
    ({ country, currency }) => [country, currency],
    (group) => ({
      ...costs(group),
      answered_legs: String(group.filter(({ isAnswered }) => isAnswered).length),
      answered_seconds: secondsOf(group.map(({ answered }) => answered)),
    }),
  );
  for (const row of rows('cost-per-answered-minute')) {
    const seconds = Number(row['answered_seconds'] ?? 0);
    const rate = (60 * Number(row['total_price'])) / seconds;
    if (seconds === 0) expect(row['cost_per_minute']).toBeNull();
    else if (Math.abs(rate) < 1e12)
      expect(Math.abs(Number(row['cost_per_minute']) - rate)).toBeLessThan(
        1e-9 * Math.max(1, Math.abs(rate)),
      );
  }
  expectRows(
    rows('sip-codes-of-failures'),
    ['sip_status', 'call_status'],
    legs.filter(({ status = '' }) => ['FAILED', 'ERROR'].includes(status)),
    ({ sip, status }) => [sip, status],
    (group) => ({
      legs: String(group.length),
      sessions: String(new Set(group.map(({ sessionId }) => sessionId)).size),
      first_seen: group.map(({ date }) => date).toSorted()[0],
      last_seen: group
        .map(({ date }) => date)
        .toSorted()
        .at(-1),
    }),
  );
}

function expectViews(
  rows: (name: string) => Record<string, unknown>[],
  records: readonly Recorded[],
  legs: readonly ChargedLeg[],
): void {
  const bySession = Map.groupBy(legs, ({ sessionId }) => sessionId);
  const sessions = records.map(({ sessionId }) => {
    const own = bySession.get(sessionId) ?? [];
    const currencies = new Set(priced(own).map(({ currency }) => currency));
    const isOne = currencies.size === 1;
    const sum = isOne ? (sumOf(own.map(({ units }) => units)) ?? 0n) : 0n;
    const fits = sum < 10n ** 24n && sum > -(10n ** 24n);
    return {
      session_id: sessionId,
      total_price: isOne && fits ? decimalText(sum) : null,
      currency: isOne ? [...currencies][0] : null,
      billed_seconds: secondsOf(own.map(({ billed }) => billed)),
      charged_legs: String(own.length),
      priced_legs: String(priced(own).length),
    };
  });
  const byId = (a: Record<string, unknown>, b: Record<string, unknown>) =>
    JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  expect(rows('sessions').toSorted(byId)).toEqual(sessions.toSorted(byId));
  const recorded = records.flatMap(({ sessionId, legs: own = [] }) =>
    own.map(({ callId }) => {
      const charged = legs.find((leg) => leg.callId === callId);
      return {
        session_id: sessionId,
        call_id: callId,
        total_price: charged ? priceOf([charged]) : null,
        currency: charged?.currency ?? null,
        sip_status: charged?.sip ?? null,
      };
    }),
  );
  expect(rows('legs').toSorted(byId)).toEqual(recorded.toSorted(byId));
}

const SCALE = 10n ** 12n;
const amount = (legs: readonly ChargedLeg[]) =>
  rounded(sumOf(legs.map(({ units }) => units)) ?? 0n, SCALE, 2);
const minuteRate = (legs: readonly ChargedLeg[]) => {
  const seconds = BigInt(secondsOf(legs.map(({ answered }) => answered)) ?? 0);
  return seconds === 0n
    ? '–'
    : rounded(60n * (sumOf(legs.map(({ units }) => units)) ?? 0n), seconds * SCALE, 4);
};
const inHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll("'", '&#39;');

function expectReport(html: string, records: readonly Recorded[], legs: readonly ChargedLeg[]): void {
  const byCurrency = [...Map.groupBy(priced(legs), ({ currency = '' }) => currency)];
  expect(
    tableIn(html, 'Cost by currency')
      .map(([name, cost, count, , rate]) => [name, cost, count, rate])
      .toSorted(),
  ).toEqual(
    byCurrency.map(([name, own]) => [name, amount(own), String(own.length), minuteRate(own)]).toSorted(),
  );
  for (const [name, own] of byCurrency) {
    const days = Map.groupBy(own, ({ date }) => date);
    expect(
      rowsIn(html, `Cost by day in ${name}`)
        .filter(({ Legs: count }) => count !== '0')
        // The last day may be incomplete, because the files are those of days in UTC.
        .map(({ Day: day, Cost: cost, Legs: count }) => [day?.replace(' (incomplete)', ''), cost, count])
        .toSorted(),
    ).toEqual([...days].map(([day, some]) => [day, amount(some), String(some.length)]).toSorted());
    for (const by of ['country', 'product'] as const) {
      const parts = Map.groupBy(own, (leg) => leg[by] || 'Unknown');
      expect(
        tableIn(html, `Cost by ${by} in ${name}`)
          .map(([part, cost, count, , rate]) => [part, cost, count, rate])
          .toSorted(),
      ).toEqual(
        [...parts]
          .map(([part, some]) => [inHtml(part), amount(some), String(some.length), minuteRate(some)])
          .toSorted(),
      );
    }
  }
  const failed = legs.filter(({ status = '' }) => ['FAILED', 'ERROR'].includes(status));
  expect(
    tableIn(html, 'Failed legs by SIP status code')
      .map(([code, , count]) => [code, count])
      .toSorted(),
  ).toEqual(
    [...Map.groupBy(failed, ({ sip = 'no code' }) => sip)]
      .map(([code, { length }]) => [code, String(length)])
      .toSorted(),
  );
  const { notExported, notRecorded, reconstructed } = differences(records, legs);
  const countOf = (ids: readonly string[], id: string) => String(ids.filter((each) => each === id).length);
  const kinds = [
    reconstructed.map(({ subAccountId }) => subAccountId),
    notRecorded.map(([, [...own]]) => own.map(({ subAccountId }) => subAccountId).toSorted()[0] ?? ''),
    legs.length === 0 ? [] : notExported.map(({ subAccountId }) => subAccountId),
  ];
  expect(tableIn(html, 'Differences to the log export in sessions').toSorted()).toEqual(
    [...new Set(kinds.flat())].map((id) => [inHtml(id), ...kinds.map((ids) => countOf(ids, id))]).toSorted(),
  );
}

describe('a second calculation of what calls cost', () => {
  it.each(TABLES)('returns the same amounts for %s sessions in the time zone %s', async (size, zone) => {
    await fc.assert(
      fc.asyncProperty(inputOf(size), async ({ records, files }) => {
        const { rows, html } = await query(records, files, zone);
        const legs = chargedLegs(files, zone);
        expectQueries(rows, legs);
        expectViews(rows, records, legs);
        const { notExported, notRecorded, reconstructed } = differences(records, legs);
        const ids = (name: string) =>
          rows(name)
            .map((row) => String(row['session_id']))
            .toSorted();
        expect(ids('not-in-log-export')).toEqual(notExported.map(({ sessionId }) => sessionId).toSorted());
        expect(ids('not-recorded')).toEqual(notRecorded.map(([id]) => id).toSorted());
        expect(ids('reconstructed')).toEqual(reconstructed.map(({ sessionId }) => sessionId).toSorted());
        expectReport(html, records, legs);
      }),
      { numRuns, endOnFailure: true },
    );
  });
});
