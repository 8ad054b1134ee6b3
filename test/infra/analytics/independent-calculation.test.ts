import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { DUCKDB } from '../../../infra/analytics/dialect.ts';
import { openSessions } from '../../../infra/analytics/duckdb/session-database.ts';
import { readTotals } from '../../../infra/analytics/report/headline.ts';
import { makePage } from '../../../infra/analytics/report/page.ts';
import { SAVED_QUERIES } from '../../../infra/analytics/saved-queries.ts';
import { exportOf } from './exported.ts';
import {
  band,
  calculation,
  counts,
  expected,
  mean,
  quantile,
  type Stored,
  table,
} from './second-calculation.ts';

/**
 * The numbers of the saved queries and of the report equal those of a second calculation. It covers values that cannot be
 * right, missing values, and days in another time zone.
 */

async function query(records: readonly Stored[], timeZone: string) {
  const folder = await exportOf(records.map((stored) => ({ revision: 1, digest: 'd', ...stored })));
  const { connection, close } = await openSessions(folder, () => {}, { timeZone });
  try {
    const rows = new Map<string, Record<string, unknown>[]>();
    for (const { name, sql } of SAVED_QUERIES)
      rows.set(name, (await connection.runAndReadAll(sql(DUCKDB))).getRowObjectsJson());
    const options = { time: '2026-11-21T02:00:00Z', timeZone, scope: {}, stage: undefined };
    const { html } = await makePage(connection, options);
    return { rows: (name: string) => rows.get(name) ?? [], totals: await readTotals(connection), html };
  } finally {
    close();
  }
}

/** The rows of the table with this caption in a report, without the header. */
function tableIn(html: string, caption: string): string[][] {
  const [, body = ''] =
    new RegExp(`<caption>${caption}</caption>.*?<tbody>(.*?)</tbody>`, 's').exec(html) ?? [];
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => cell.replaceAll(',', '')),
  );
}

/** The rows of a table, by the heading of each column. */
function rowsIn(html: string, caption: string): Record<string, string>[] {
  const [, head = ''] =
    new RegExp(`<caption>${caption}</caption>.*?<thead>(.*?)</thead>`, 's').exec(html) ?? [];
  const headings = [...head.matchAll(/<th[^>]*>(.*?)<\/th>/gs)].map(([, heading = '']) => heading);
  return tableIn(html, caption).map((row) =>
    Object.fromEntries(headings.map((heading, i) => [heading, `${row[i]}`])),
  );
}

type Calculated = ReturnType<typeof calculation>;
type Session = Calculated['sessions'][number];

const OUTCOMES = {
  Answered: 'answered',
  Unanswered: 'unanswered',
  Failed: 'failed',
  'Opted out': 'opted_out',
  Other: 'other',
} as const;
const OPT_OUTS = {
  'Opted out': 'COMPLETED_UNSUBSCRIBED',
  'Already opted out': 'UNSUBSCRIBED_CONTACT',
  'Opt-out failed': 'COMPLETED_UNSUB_ERROR',
} as const;

/** Compares a table by day: every cell, and the sessions without a day in the last row. */
function expectDays(
  html: string,
  caption: string,
  sessions: readonly Session[],
  kinds: Readonly<Record<string, (session: Session) => boolean>>,
): void {
  const isDated = sessions.some(({ date }) => date !== undefined);
  const shown = rowsIn(html, caption).flatMap(({ Day: day, ...cells }) =>
    Object.entries(cells).flatMap(([kind, count]) => (Number(count) > 0 ? [[day, kind, Number(count)]] : [])),
  );
  const calculated = Object.entries(kinds).flatMap(([kind, matches]) =>
    [...Map.groupBy(sessions.filter(matches), ({ date = 'Not in the chart' }) => date)].map(
      ([day, { length }]) => [day, kind, length],
    ),
  );
  expect(shown.map(String).toSorted()).toEqual(isDated ? calculated.map(String).toSorted() : []);
}

/** Compares the tables by day, error, country and route. */
function expectGroups(html: string, records: readonly Stored[], { sessions, legs }: Calculated): void {
  const matching = <const K extends Readonly<Record<string, string>>>(
    kinds: K,
    of: (session: Session) => unknown,
  ) =>
    Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [name, (session: Session) => of(session) === kind]),
    );
  expectDays(
    html,
    'Sessions by day and outcome',
    sessions,
    matching(OUTCOMES, ({ outcome }) => outcome),
  );
  expectDays(
    html,
    'Opt-outs by day',
    sessions,
    matching(OPT_OUTS, ({ stored }) => stored.sessionStatus),
  );
  expectDays(html, 'Sessions with conflicts by day', sessions, {
    '2 summaries': ({ stored }) => (stored.alternates ?? []).length === 1,
  });

  const scored = legs.flatMap(({ mos, ...rest }) => (mos === undefined ? [] : [{ mos, ...rest }]));
  const labelOf = (date: string) =>
    new Date(date).toLocaleDateString('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
  for (const [label = '', value, amount] of tableIn(html, 'Mean MOS over time, by day')) {
    const all = scored.filter(({ date }) => date !== undefined && labelOf(date) === label);
    expect([label, Number(amount)]).toEqual([label, all.length]);
    if (all.length > 0) expect(Number(value)).toBeCloseTo(mean(all.map(({ mos }) => mos)), 1);
    else expect(value).toBe('–');
  }

  const byCode = new Map<string, Set<string>>();
  for (const { sessionId, errorDetails: own, legs: all = [] } of records)
    for (const details of [own, ...all.map((each) => each.errorDetails)]) {
      if (details?.errorCode === undefined && details?.errorMsg === undefined) continue;
      const code = details.errorCode === undefined ? 'no code' : String(details.errorCode);
      byCode.set(code, (byCode.get(code) ?? new Set()).add(sessionId));
    }
  expect(
    new Map(tableIn(html, 'Sessions by error').map(([code, , amount]) => [code, Number(amount)])),
  ).toEqual(new Map([...byCode].map(([code, { size }]) => [code, size])));

  const shown = rowsIn(html, 'Sessions by country and outcome').map((row) =>
    ['Sessions', ...Object.keys(OUTCOMES)].map((heading) => Number(row[heading] ?? 0)),
  );
  const calculated = [...Map.groupBy(sessions, ({ country = '' }) => country).values()].map((all) => [
    all.length,
    ...Object.values(OUTCOMES).map((outcome) => all.filter((each) => each.outcome === outcome).length),
  ]);
  expect(shown.map(String).toSorted()).toEqual(calculated.map(String).toSorted());

  const routes = [...Map.groupBy(scored, ({ route }) => route)].filter(([, all]) => all.length >= 30);
  const table = rowsIn(html, 'Routes by mean opinion score \\(MOS\\)');
  expect(table.map((row) => Number(row['Legs'])).toSorted()).toEqual(
    routes.map(([, { length }]) => length).toSorted(),
  );
  for (const row of table)
    expect(
      routes.some(([, all]) => Math.abs(mean(all.map(({ mos }) => mos)) - Number(row['Mean MOS'])) < 0.0051),
    ).toBe(true);
}

/** Compares the tables of a report with the second calculation. */
function expectTables(html: string, records: readonly Stored[], zone: string): void {
  const { sessions, legs } = calculation(records, zone);
  expectGroups(html, records, { sessions, legs });
  const countOf = <T>(items: readonly T[], matches: (item: T) => boolean) => items.filter(matches).length;
  const talks = sessions.flatMap(({ talk = 0 }) => (talk > 0 ? [talk] : []));
  const bounds = [1, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, Number.POSITIVE_INFINITY];

  for (const [i, [, amount]] of tableIn(html, 'Sessions by talk time').entries())
    expect([i, Number(amount)]).toEqual([
      i,
      countOf(talks, (talk) => talk >= (bounds[i] ?? 0) && talk < (bounds[i + 1] ?? 0)),
    ]);
  for (const [clock = '', all, answered] of tableIn(html, `Sessions by hour of the day \\(${zone}\\)`)) {
    const started = sessions.filter(({ hour }) => hour === Number(clock.slice(0, 2)));
    expect([clock, all, answered].map(String)).toEqual([
      clock,
      String(started.length),
      String(countOf(started, ({ outcome }) => outcome === 'answered')),
    ]);
  }
  const labelOf = (date: string) =>
    new Date(date).toLocaleDateString('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
  const onDay = (label: string) =>
    sessions.filter(({ date }) => date !== undefined && labelOf(date) === label);
  for (const [label = '', rate, amount] of tableIn(html, 'Answer rate, by day')) {
    const started = onDay(label);
    const answered = countOf(started, ({ outcome }) => outcome === 'answered');
    expect([label, rate, Number(amount)]).toEqual([
      label,
      started.length === 0 ? '–' : `${((100 * answered) / started.length).toFixed(1)}%`,
      started.length,
    ]);
  }
  for (const [name = '', all] of tableIn(html, 'Sessions by sub-account and outcome'))
    expect([name, Number(all)]).toEqual([
      name,
      countOf(records, ({ subAccountId }) => subAccountId === name.replace('&#39;', "'")),
    ]);
  for (const [score = '', name = '', amount] of tableIn(html, 'Legs by mean opinion score \\(MOS\\)')) {
    const inTenth = (mos: number) => (Math.floor(mos * 10 + 1e-6) / 10).toFixed(1) === score;
    expect([score, name, Number(amount)]).toEqual([
      score,
      name,
      countOf(legs, ({ mos }) => mos !== undefined && inTenth(mos) && band(mos) === name.toLowerCase()),
    ]);
  }
  expect(tableIn(html, 'Sessions by country and outcome').map(([, , all]) => Number(all))).toEqual(
    [...Map.groupBy(sessions, ({ country = '' }) => country).values()]
      .map(({ length }) => length)
      .toSorted((a, b) => b - a),
  );
  const losses = legs.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
  const rings = legs.flatMap(({ ring }) => (ring === undefined ? [] : [Math.floor(ring)]));
  const jitters = legs.flatMap(({ jitter }) => (jitter === undefined ? [] : [jitter]));
  for (const [measure, median, p95, amount] of tableIn(
    html,
    'Ring time, jitter and packet loss of the legs',
  )) {
    const values = measure === 'Jitter' ? jitters : measure === 'Ring time' ? rings : losses;
    const formatted = (value = 0) =>
      measure === 'Jitter'
        ? `${value} ms`
        : measure === 'Packet loss'
          ? `${(100 * value).toFixed(2)}%`
          : value === 60
            ? '1 min'
            : `${value} s`;
    expect([measure, median, p95, amount]).toEqual([
      measure,
      formatted(quantile(values, 0.5)),
      formatted(quantile(values, 0.95)),
      String(values.length),
    ]);
  }
  const coded = sessions.filter(({ errorCode }) => errorCode !== undefined);
  for (const [, all, ...byCode] of tableIn(
    html,
    'Sessions that ended with an error code, by country and code',
  ))
    expect(byCode.reduce((sum, value) => sum + Number(value), 0)).toBe(Number(all));
  const perCountry = [...Map.groupBy(coded, ({ country = '' }) => country).values()].map(
    ({ length }) => length,
  );
  if (perCountry.length > 1)
    expect(
      tableIn(html, 'Sessions that ended with an error code, by country and code').map(([, all]) =>
        Number(all),
      ),
    ).toEqual(perCountry.toSorted((a, b) => b - a));
  for (const [clock = '', ...cells] of tableIn(html, `Sessions by weekday and hour \\(${zone}\\)`))
    expect([clock, ...cells.map(Number)]).toEqual([
      clock,
      ...[1, 2, 3, 4, 5, 6, 0].map((weekday) =>
        countOf(
          sessions,
          ({ date, hour }) =>
            date !== undefined &&
            new Date(date).getUTCDay() === weekday &&
            hour === Number(clock.slice(0, 2)),
        ),
      ),
    ]);
}

const text = (value: number | undefined) => (value === undefined ? null : String(value));

describe('a second calculation', () => {
  it.each(['UTC', 'Asia/Singapore', 'America/St_Johns'])(
    'returns the same numbers in the time zone %s',
    async (zone) => {
      await fc.assert(
        fc.asyncProperty(table, async (records) => {
          const { rows, totals, html } = await query(records, zone);
          const { sessions, legs } = calculation(records, zone);
          const failed = sessions.filter(({ outcome }) => outcome === 'failed');
          const scored = legs.flatMap(({ mos, ...rest }) => (mos === undefined ? [] : [{ mos, ...rest }]));
          const talked = sessions.flatMap(({ talk = 0, ...rest }) => (talk > 0 ? [{ talk, ...rest }] : []));

          for (const outcome of ['answered', 'unanswered', 'failed', 'opted_out', 'other']) {
            const byDay = counts(rows('outcomes-by-day'), ['start_date'], outcome);
            const of = expected(
              sessions.filter((each) => each.outcome === outcome),
              ({ date }) => [date],
            );
            for (const [day, count] of byDay) expect([day, count]).toEqual([day, of.get(day) ?? 0]);
          }
          expect(counts(rows('outcomes-by-day'), ['start_date'])).toEqual(
            expected(sessions, ({ date }) => [date]),
          );
          expect(counts(rows('failures-by-country'), ['start_date', 'country', 'error_code'])).toEqual(
            expected(failed, ({ date, country: of, errorCode }) => [date, of, text(errorCode)]),
          );
          expect(counts(rows('busy-hours'), ['start_hour'])).toEqual(
            expected(sessions, ({ hour }) => [text(hour)]),
          );
          expect(counts(rows('opt-outs'), ['start_month', 'session_status'])).toEqual(
            expected(
              sessions.filter(({ outcome }) => outcome === 'opted_out'),
              ({ date, stored }) => [date && `${date.slice(0, 7)}-01`, stored.sessionStatus],
            ),
          );
          expect(rows('incomplete')).toHaveLength(sessions.filter(({ isIncomplete }) => isIncomplete).length);
          expect(rows('conflicts')).toHaveLength(
            records.reduce(
              (sum, { alternates = [] }) => sum + (alternates.length > 0 ? 1 + alternates.length : 0),
              0,
            ),
          );
          expect(counts(rows('unrecognised'), ['path'])).toEqual(
            expected(
              records.flatMap(({ unrecognised = {} }) => Object.keys(unrecognised)),
              (path) => [path],
            ),
          );
          expect(counts(rows('quality-bands'), ['mos_band'], 'legs')).toEqual(
            expected(scored, ({ mos }) => [band(mos)]),
          );

          const errors = records.flatMap(({ sessionId, errorDetails: own, legs: all = [] }) =>
            [own, ...all.map((each) => each.errorDetails)].flatMap((details) =>
              details ? [{ sessionId, code: details.errorCode }] : [],
            ),
          );
          const byError = new Map<string, Set<string>>();
          for (const { sessionId, code } of errors) {
            const message = code === undefined ? undefined : ERROR_CODES.get(code)?.message;
            const key = JSON.stringify([text(code), message ?? null]);
            byError.set(key, (byError.get(key) ?? new Set()).add(sessionId));
          }
          const documented = (row: Record<string, unknown>) =>
            ERROR_CODES.get(Number(row['error_code']))?.message ?? null;
          expect(
            new Map(
              rows('errors').map((row) => [
                JSON.stringify([row['error_code'], row['error_code'] === null ? null : documented(row)]),
                Number(row['sessions']),
              ]),
            ),
          ).toEqual(new Map([...byError].map(([key, { size }]) => [key, size])));

          const durations = Map.groupBy(talked, ({ country: of }) => of ?? null);
          expect(rows('durations')).toHaveLength(durations.size);
          for (const row of rows('durations')) {
            const values = (durations.get(row['country'] === null ? null : String(row['country'])) ?? []).map(
              ({ talk }) => talk,
            );
            expect(row).toMatchObject({
              sessions: String(values.length),
              median_seconds: text(quantile(values, 0.5)),
              p95_seconds: text(quantile(values, 0.95)),
            });
            expect(Number(row['minutes'])).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 60, 0);
          }

          const routes = [...Map.groupBy(scored, ({ route }) => route)].filter(([, all]) => all.length >= 30);
          expect(rows('worst-routes')).toHaveLength(Math.min(20, routes.length));
          for (const [route, all] of routes) {
            const row = rows('worst-routes').find((each) => each['route'] === route);
            const poor = all.filter(({ mos }) => ['poor', 'bad'].includes(band(mos))).length;
            expect(row?.['legs']).toBe(String(all.length));
            expect(Number(row?.['mean_mos'])).toBeCloseTo(mean(all.map(({ mos }) => mos)), 1);
            expect(Number(row?.['poor_percent'])).toBeCloseTo((100 * poor) / all.length, 0);
          }

          const implausible = legs.flatMap(({ implausible: flags }) =>
            Object.entries(flags).flatMap(([name, flag]) => (flag ? [name] : [])),
          );
          expect(counts(rows('implausible'), ['column_name'], 'left_out')).toEqual(
            expected(implausible, (name) => [name]),
          );

          const withStatus = (status: string) =>
            records.filter(({ sessionStatus }) => sessionStatus === status).length;
          expect(totals).toMatchObject({
            sessions: records.length,
            answered: sessions.filter(({ outcome }) => outcome === 'answered').length,
            failed: failed.length,
            opt_outs: withStatus('COMPLETED_UNSUBSCRIBED'),
            opt_outs_failed: withStatus('COMPLETED_UNSUB_ERROR'),
            already_opted_out: withStatus('UNSUBSCRIBED_CONTACT'),
            conflicts: records.filter(({ alternates = [] }) => alternates.length > 0).length,
            incomplete: sessions.filter(({ isIncomplete }) => isIncomplete).length,
            median:
              quantile(
                talked.map(({ talk }) => talk),
                0.5,
              ) ?? null,
            scored: scored.length,
          });
          if (scored.length > 0) expect(totals.mos).toBeCloseTo(mean(scored.map(({ mos }) => mos)), 9);
          expectTables(html, records, zone);
        }),
        { numRuns: 12, endOnFailure: true },
      );
    },
  );
});
