import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { DUCKDB } from '../../../infra/analytics/dialect.ts';
import { openSessions } from '../../../infra/analytics/duckdb/session-database.ts';
import { readFacts } from '../../../infra/analytics/report/facts.ts';
import { readTotals } from '../../../infra/analytics/report/headline.ts';
import { SAVED_QUERIES } from '../../../infra/analytics/saved-queries.ts';
import { exportOf } from './exported.ts';

/**
 * The numbers of the saved queries and of the report equal those of a second calculation, in TypeScript, that shares no
 * code with the views. It covers values that cannot be right, missing values, and days in another time zone.
 */

interface Leg {
  leg: string;
  callDirection?: string;
  callDuration?: number;
  sourceCountryCode?: string;
  destinationCountryCode?: string;
  callQuality?: { mos?: number; jitter?: number; packetLossRate?: number };
  errorDetails?: { errorCode?: number; errorMsg?: string };
}

interface Stored {
  sessionId: string;
  subAccountId: string;
  sessionStatus?: string;
  startTime?: string;
  endTime?: string;
  receivedAt: string;
  legs?: Leg[];
  errorDetails?: { errorCode?: number; errorMsg?: string };
  unrecognised?: Record<string, string>;
  alternates?: Stored[];
}

const DAY = 86_400_000;
const WEEK_SECONDS = 604_800;
const NOW = Date.parse('2026-11-20T18:00:00Z');

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const time = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: NOW - 3 * DAY, max: NOW }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-62_135_596_800_000, 0, NOW - 4_000 * DAY, NOW + 3 * DAY, 253_402_300_799_000),
  },
);
const instant = time.map((value) => new Date(value).toISOString());
const country = fc.oneof(
  { weight: 8, arbitrary: fc.constant('SG') },
  { weight: 1, arbitrary: fc.constantFrom('PH', "it's", '🇸🇬', '') },
);
const errorDetails = fc.record(
  {
    errorCode: fc.constantFrom(-2004, -2001, -9999, 7, 0),
    errorMsg: fc.constantFrom('No coverage', "'; DROP", ''),
  },
  { requiredKeys: [] },
);
const leg = (name: string): fc.Arbitrary<Leg> =>
  fc.record(
    {
      leg: fc.constant(name),
      callDirection: fc.constantFrom('INBOUND', 'OUTBOUND', 'SIDEWAYS'),
      callDuration: fc.constantFrom(0, 1, 13, 600, WEEK_SECONDS, WEEK_SECONDS + 1, -5, 9_007_199_254_740_991),
      sourceCountryCode: country,
      destinationCountryCode: country,
      callQuality: fc.record(
        {
          mos: fc.constantFrom(1, 4.3, 3.36, 4.29, 5, 0, 0.99, 5.01, -1, 93),
          jitter: fc.constantFrom(0, 20, 60_000, 60_001, -1),
          packetLossRate: fc.constantFrom(0, 0.01, 1, 1.5, -0.1),
        },
        { requiredKeys: [] },
      ),
      errorDetails,
    },
    { requiredKeys: ['leg'] },
  );
const record = fc.record(
  {
    subAccountId: fc.constantFrom('8x8_test', "o'brien"),
    sessionStatus: fc.constantFrom(
      ...['COMPLETED', 'NO_ANSWER', 'BUSY', 'CANCELED', 'FAILED', 'ERROR', 'SOMETHING_NEW'],
      ...['COMPLETED_UNSUBSCRIBED', 'COMPLETED_UNSUB_ERROR', 'UNSUBSCRIBED_CONTACT'],
    ),
    startTime: instant,
    endTime: instant,
    receivedAt: fc
      .integer({ min: NOW - 2 * DAY, max: NOW + 6 * 3_600_000 })
      .map((value) => new Date(value).toISOString()),
    legs: fc
      .tuple(maybe(leg('callA')), maybe(leg('callB')))
      .map((legs) => legs.filter((each) => each !== undefined)),
    errorDetails,
    unrecognised: fc.dictionary(fc.constantFrom('payload.dtmf', 'payload.endTime'), fc.constant('x')),
  },
  { requiredKeys: ['subAccountId', 'receivedAt'] },
);
const table = fc
  .array(fc.tuple(record, fc.array(record, { maxLength: 1 })), { minLength: 1, maxLength: 80, size: 'max' })
  .map((rows) =>
    rows.map(([shown, alternates], i): Stored => {
      const own = { ...shown, sessionId: `session-${i}` };
      return alternates.length === 0
        ? own
        : { ...own, alternates: alternates.map((each) => ({ ...each, sessionId: own.sessionId })) };
    }),
  );

/** The calculation that the views are compared with. */
function calculation(records: readonly Stored[], timeZone: string) {
  const dayOf = (text: string) => new Date(text).toLocaleDateString('sv-SE', { timeZone });
  const startOf = ({ startTime, receivedAt }: Stored) => {
    if (startTime === undefined) return undefined;
    const earliest = new Date(receivedAt);
    earliest.setUTCFullYear(earliest.getUTCFullYear() - 10);
    const [start, received] = [Date.parse(startTime), Date.parse(receivedAt)];
    return start >= earliest.getTime() && start <= received + DAY ? startTime : undefined;
  };
  const between = (value: number | undefined, min: number, max: number) =>
    value !== undefined && value >= min && value <= max ? value : undefined;
  const outcomes: Record<string, string> = {
    COMPLETED: 'answered',
    ...Object.fromEntries(['NO_ANSWER', 'BUSY', 'CANCELED'].map((status) => [status, 'unanswered'])),
    ...Object.fromEntries(['FAILED', 'ERROR'].map((status) => [status, 'failed'])),
    ...Object.fromEntries(
      ['COMPLETED_UNSUBSCRIBED', 'COMPLETED_UNSUB_ERROR', 'UNSUBSCRIBED_CONTACT'].map((status) => [
        status,
        'opted_out',
      ]),
    ),
  };
  const least = (values: readonly (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  };
  const sessions = records.map((stored) => {
    const { legs = [], sessionStatus = '', startTime, endTime } = stored;
    const start = startOf(stored);
    const [first] = legs;
    return {
      stored,
      date: start === undefined ? undefined : dayOf(start),
      hour:
        start === undefined
          ? undefined
          : Number(new Date(start).toLocaleTimeString('sv-SE', { timeZone, hour: '2-digit' }).slice(0, 2)),
      outcome: outcomes[sessionStatus] ?? 'other',
      talk: least(legs.map(({ callDuration }) => between(callDuration, 0, WEEK_SECONDS))),
      country: first?.callDirection === 'INBOUND' ? first.sourceCountryCode : first?.destinationCountryCode,
      errorCode: stored.errorDetails?.errorCode,
      isIncomplete: sessionStatus === '' || startTime === undefined || endTime === undefined,
    };
  });
  const legs = records.flatMap(({ legs: all = [] }) =>
    all.map(({ callQuality: { mos, jitter, packetLossRate } = {}, ...each }) => ({
      route: `${each.sourceCountryCode ?? '??'}-${each.destinationCountryCode ?? '??'}`,
      mos: between(mos, 1, 5),
      jitter: between(jitter, 0, 60_000),
      loss: between(packetLossRate, 0, 1),
      implausible: {
        mos: mos !== undefined && between(mos, 1, 5) === undefined,
        jitter: jitter !== undefined && between(jitter, 0, 60_000) === undefined,
        packet_loss_rate: packetLossRate !== undefined && between(packetLossRate, 0, 1) === undefined,
        call_duration:
          each.callDuration !== undefined && between(each.callDuration, 0, WEEK_SECONDS) === undefined,
      },
    })),
  );
  return { sessions, legs };
}

const band = (mos: number) =>
  mos >= 4.3 ? 'excellent' : mos >= 4 ? 'good' : mos >= 3.6 ? 'fair' : mos >= 3.1 ? 'poor' : 'bad';
const countBy = <T>(items: readonly T[], key: (item: T) => unknown) =>
  new Map(
    [...Map.groupBy(items, (item) => JSON.stringify(key(item)))].map(([name, { length }]) => [name, length]),
  );
/** The value that a discrete quantile returns. */
const quantile = (values: readonly number[], fraction: number) =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(fraction * values.length) - 1)];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Counts by group, as rows of a query report them. */
const counts = (rows: readonly Record<string, unknown>[], keys: readonly string[], count = 'sessions') =>
  new Map(rows.map((row) => [JSON.stringify(keys.map((key) => row[key] ?? null)), Number(row[count])]));
const expected = <T>(items: readonly T[], key: (item: T) => readonly unknown[]) =>
  countBy(items, (item) => key(item).map((value) => (value === undefined ? null : value)));

async function query(records: readonly Stored[], timeZone: string) {
  const folder = await exportOf(records.map((stored) => ({ revision: 1, digest: 'd', ...stored })));
  const { connection, close } = await openSessions(folder, () => {}, timeZone);
  try {
    const rows = new Map<string, Record<string, unknown>[]>();
    for (const { name, sql } of SAVED_QUERIES)
      rows.set(name, (await connection.runAndReadAll(sql(DUCKDB))).getRowObjectsJson());
    await readFacts(connection, {});
    return { rows: (name: string) => rows.get(name) ?? [], totals: await readTotals(connection) };
  } finally {
    close();
  }
}

const text = (value: number | undefined) => (value === undefined ? null : String(value));

describe('a second calculation', () => {
  it.each(['UTC', 'Asia/Singapore', 'America/St_Johns'])(
    'returns the same numbers in the time zone %s',
    async (zone) => {
      await fc.assert(
        fc.asyncProperty(table, async (records) => {
          const { rows, totals } = await query(records, zone);
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
        }),
        { numRuns: 12, endOnFailure: true },
      );
    },
  );
});
