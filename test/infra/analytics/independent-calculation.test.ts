import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { DUCKDB } from '../../../infra/analytics/dialect.ts';
import { openSessions } from '../../../infra/analytics/duckdb/session-database.ts';
import { readTotals } from '../../../infra/analytics/report/headline.ts';
import { makePage } from '../../../infra/analytics/report/page.ts';
import { SAVED_QUERIES } from '../../../infra/analytics/saved-queries.ts';
import { exportOf } from './exported.ts';
import { rowsIn, tableIn } from './report-tables.ts';
import {
  band,
  calculation,
  counts,
  expected,
  mean,
  numRuns,
  quantile,
  type Stored,
  TABLES,
  tableOf,
} from './second-calculation.ts';

/**
 * The numbers of the saved queries and of the report equal those of a second calculation. It covers values that cannot be
 * right, missing values, and days in another time zone.
 */

async function query(records: readonly Stored[], timeZone: string) {
  const folder = await exportOf(records.map((stored) => ({ revision: 1, digest: 'd', ...stored })));
  const { connection, close } = await openSessions(folder, () => {}, { timeZone, needsHistory: false });
  try {
    const rows = new Map<string, Record<string, unknown>[]>();
    // The property test of session_changes is in newest-records.test.ts.
    for (const { name, sql } of SAVED_QUERIES.filter((each) => each.name !== 'changed-statuses'))
      rows.set(name, (await connection.runAndReadAll(sql(DUCKDB))).getRowObjectsJson());
    const options = { time: '2026-12-01T00:00:00Z', timeZone, scope: {} };
    const { html } = await makePage(connection, options);
    return { rows: (name: string) => rows.get(name) ?? [], totals: await readTotals(connection), html };
  } finally {
    close();
  }
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

/** The days of a report: all from the first to the last one with a session. */
function daysOf(sessions: readonly Session[]): string[] {
  const dated = sessions.flatMap(({ date }) => (date === undefined ? [] : [date])).toSorted();
  const days: string[] = [];
  for (let day = Date.parse(dated[0] ?? ''); day <= Date.parse(dated.at(-1) ?? ''); day += 86_400_000)
    days.push(new Date(day).toISOString().slice(0, 10));
  return days;
}

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
  const days = daysOf(sessions);
  const means = tableIn(html, 'Mean MOS over time, by day');
  const isShown = days.length > 1 && scored.some(({ date }) => date !== undefined);
  expect(means).toHaveLength(isShown ? days.length : 0);
  for (const [i, [day, value, amount]] of means.entries()) {
    const all = scored.filter(({ date }) => date === days[i]).map(({ mos }) => mos);
    expect([day, amount]).toEqual([days[i], String(all.length)]);
    if (all.length > 0) expect(Math.abs(Number(value) - mean(all))).toBeLessThan(0.0051);
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

  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  const isAnswered = ({ outcome }: Session) => outcome === 'answered';
  const share = (some: number, all: number) => (all === 0 ? '–' : `${((100 * some) / all).toFixed(1)}%`);

  expect(tableIn(html, 'Sessions by talk time').map(([, amount]) => Number(amount))).toEqual(
    talks.length === 0
      ? []
      : bounds
          .slice(0, -1)
          .map((bound, i) => countOf(talks, (talk) => talk >= bound && talk < (bounds[i + 1] ?? 0))),
  );
  const isDated = sessions.some(({ hour }) => hour !== undefined);
  expect(tableIn(html, `Sessions by hour of the day \\(${zone}\\)`)).toEqual(
    (isDated ? hours : []).map((hour) => {
      const started = sessions.filter((each) => each.hour === hour);
      const answered = countOf(started, isAnswered);
      return [clock(hour), String(started.length), String(answered), share(answered, started.length)];
    }),
  );
  const days = daysOf(sessions);
  expect(tableIn(html, 'Answer rate, by day')).toEqual(
    (days.length > 1 ? days : []).map((day) => {
      const started = sessions.filter(({ date }) => date === day);
      return [day, share(countOf(started, isAnswered), started.length), String(started.length)];
    }),
  );
  const bySubAccount = [...Map.groupBy(sessions, ({ stored }) => stored.subAccountId)];
  expect(
    new Map(
      rowsIn(html, 'Sessions by sub-account and outcome').map((row) => [
        row['Sub-account']?.replace('&#39;', "'"),
        [row['Answered %'], ...Object.keys(OUTCOMES).map((name) => Number(row[name] ?? 0))],
      ]),
    ),
  ).toEqual(
    new Map(
      (bySubAccount.length > 1 ? bySubAccount : []).map(([name, all]) => [
        name,
        [
          share(countOf(all, isAnswered), all.length),
          ...Object.values(OUTCOMES).map((outcome) => countOf(all, (each) => each.outcome === outcome)),
        ],
      ]),
    ),
  );
  const scores = legs.flatMap(({ mos }) =>
    mos === undefined ? [] : [`${(Math.floor(mos * 10 + 1e-6) / 10).toFixed(1)} ${band(mos)}`],
  );
  expect(
    new Map(
      tableIn(html, 'Legs by mean opinion score \\(MOS\\)').map(([score, name, amount]) => [
        `${score} ${name?.toLowerCase()}`,
        Number(amount),
      ]),
    ),
  ).toEqual(new Map([...Map.groupBy(scores, (each) => each)].map(([each, { length }]) => [each, length])));
  expect(tableIn(html, 'Sessions by country and outcome').map(([, , all]) => Number(all))).toEqual(
    [...Map.groupBy(sessions, ({ country = '' }) => country).values()]
      .map(({ length }) => length)
      .toSorted((a, b) => b - a),
  );
  const measures = [
    [
      'Ring time',
      legs.map(({ ring }) => ring && Math.floor(ring)),
      (s: number) => (s === 60 ? '1 min' : `${s} s`),
    ],
    ['Jitter', legs.map(({ jitter }) => jitter), (ms: number) => `${ms} ms`],
    ['Packet loss', legs.map(({ loss }) => loss), (rate: number) => `${(100 * rate).toFixed(2)}%`],
  ] as const;
  expect(tableIn(html, 'Ring time, jitter and packet loss of the legs')).toEqual(
    measures.flatMap(([name, all, format]) => {
      const values = all.filter((value) => value !== undefined);
      const at = (fraction: number) => format(quantile(values, fraction) ?? 0);
      return values.length === 0 ? [] : [[name, at(0.5), at(0.95), String(values.length)]];
    }),
  );
  const coded = sessions.filter(({ errorCode }) => errorCode !== undefined);
  for (const [, all, ...byCode] of tableIn(
    html,
    'Sessions that ended with an error code, by country and code',
  ))
    expect(byCode.reduce((sum, value) => sum + Number(value), 0)).toBe(Number(all));
  const perCountry = [...Map.groupBy(coded, ({ country = '' }) => country).values()].map(
    ({ length }) => length,
  );
  expect(
    tableIn(html, 'Sessions that ended with an error code, by country and code').map(([, all]) =>
      Number(all),
    ),
  ).toEqual(perCountry.length > 1 ? perCountry.toSorted((a, b) => b - a) : []);
  const weekdayOf = (date: string) => new Date(date).getUTCDay();
  const weekdays = new Set(sessions.flatMap(({ date }) => (date === undefined ? [] : [weekdayOf(date)])));
  const meanOf = (weekday: number, hour: number) => {
    const own = sessions.filter(
      ({ date, hour: started }) => date !== undefined && weekdayOf(date) === weekday && started === hour,
    );
    return (
      own.length /
      Math.max(
        1,
        countOf(days, (day) => weekdayOf(day) === weekday),
      )
    );
  };
  expect(tableIn(html, `Mean sessions by weekday and hour \\(${zone}\\)`)).toEqual(
    (weekdays.size > 1 ? hours : []).map((hour) => [
      clock(hour),
      ...[1, 2, 3, 4, 5, 6, 0].map((weekday) => String(Math.round(10 * meanOf(weekday, hour)) / 10)),
    ]),
  );
}

const text = (value: number | undefined) => (value === undefined ? null : String(value));

describe('a second calculation', () => {
  it.each(TABLES)('returns the same numbers for %s sessions in the time zone %s', async (size, zone) => {
    await fc.assert(
      fc.asyncProperty(tableOf(size), async (records) => {
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
        const monday = (day: string) =>
          new Date(Date.parse(day) - ((new Date(day).getUTCDay() + 6) % 7) * 86_400_000)
            .toISOString()
            .slice(0, 10);
        for (const [column, of] of [
          ['sessions', sessions],
          ['answered', sessions.filter(({ outcome }) => outcome === 'answered')],
        ] as const) {
          const byWeek = expected(of, ({ date }) => [date && monday(date)]);
          for (const [week, count] of counts(rows('answer-rate-by-week'), ['start_week'], column))
            expect([week, count]).toEqual([week, byWeek.get(week) ?? 0]);
        }
        expect(rows('longest-calls').map((row) => Number(row['talk_seconds']))).toEqual(
          talked
            .map(({ talk }) => talk)
            .toSorted((a, b) => b - a)
            .slice(0, 100),
        );
        const rang = legs.flatMap(({ ring, route }) =>
          ring === undefined ? [] : [{ ring: Math.trunc(ring), route }],
        );
        for (const [route, all] of Map.groupBy(rang, (leg) => leg.route))
          expect(rows('ring-times').find((row) => row['route'] === route)).toMatchObject({
            legs: String(all.length),
            median_seconds: text(
              quantile(
                all.map(({ ring }) => ring),
                0.5,
              ),
            ),
          });
        const callers = records.flatMap(({ legs: own = [] }) =>
          own.flatMap(({ leg, source }) => (leg === 'callA' && source !== undefined ? [source] : [])),
        );
        const repeated = [...Map.groupBy(callers, String).values()]
          .map(({ length }) => length)
          .filter((n) => n > 1);
        expect(rows('repeat-callers').map((row) => Number(row['sessions']))).toEqual(
          repeated.toSorted((a, b) => b - a).slice(0, 100),
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
      { numRuns, endOnFailure: true },
    );
  });
});
