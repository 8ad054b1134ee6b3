import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { STATUSES } from '../../../functions/vss/payload.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { canonicalise } from '../../../functions/vss/summary.ts';
import { CHARGE_QUERIES } from '../../../infra/analytics/charges/charge-queries.ts';
import { CHARGE_VIEWS } from '../../../infra/analytics/charges/charge-views.ts';
import { DUCKDB, trino } from '../../../infra/analytics/dialect.ts';
import { EXPORT_COLUMNS } from '../../../infra/analytics/exports-view.ts';
import { SAVED_QUERIES } from '../../../infra/analytics/saved-queries.ts';
import { columnsOf } from '../../../infra/analytics/view.ts';
import { VIEWS, VIEWS_WITH_HISTORY } from '../../../infra/analytics/views.ts';
import { athenaViews } from '../../../infra/exports/glue-tables.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { delivery } from '../../functions/vss/deliveries.ts';
import { ask, exportOf } from './exported.ts';
import { parser } from './trino-parser.ts';

const TRINO = trino('UTC');
const ATHENA_VIEWS = athenaViews(7, TRINO, true);

const RECEIVED = '2026-11-20T10:00:00.250Z';

/** The record after one delivery of this payload. */
function record(payload: Readonly<Record<string, unknown>>): SessionRecord {
  return newRecord(receivedSummary(summaryOf(summaryBody(payload)), RECEIVED));
}

/** The fields that may be missing in a summary that is recorded. */
const NOTHING_KNOWN = { sessionStatus: null, startTime: null, endTime: null };

/** A leg with a value for every column. */
const leg = {
  callId: 'leg-1',
  callDirection: 'OUTBOUND',
  callType: 'PSTN',
  callStatus: 'COMPLETED',
  initiatedTimestamp: '2026-01-13T08:26:58Z',
  connectedTimestamp: '2026-01-13T08:27:09.5Z',
  disconnectedTimestamp: '2026-01-13T08:27:33Z',
  callDuration: 23,
  source: '+6568332048',
  sourceFormat: 'MSISDN',
  sourceCountryCode: 'SG',
  sourceRefId: 'trunk-1',
  destination: '+6591178965',
  destinationFormat: 'MSISDN',
  destinationCountryCode: 'PH',
  destinationRefId: 'vn-1',
  callQuality: { mos: 4.5, packetLossRate: 0.01, jitter: 20 },
  errorDetails: { errorCode: -2001, errorMsg: 'of the leg', callFlowRequestId: 'f-2', action: 'SAY' },
};
const whole = {
  lastAction: 'MAKE_CALL',
  callCount: 1,
  clientRequestId: 'request-1',
  errorDetails: { errorCode: -2004, errorMsg: 'of the session', callFlowRequestId: 'f-1', action: 'SAY' },
  dtmf: { pressed: ['1', 2] },
  details: { callA: leg },
};

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The expected columns and values of the attributes of a record or leg, except for lists and unrecognised fields. */
function expectedColumns(attributes: Readonly<Record<string, unknown>>, prefix = ''): [string, unknown][] {
  return Object.entries(attributes).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined || name === 'unrecognised' || Array.isArray(value)) return [];
    if (typeof value === 'object' && value !== null)
      return expectedColumns({ ...value }, name === 'errorDetails' ? 'error_' : '');
    const column = snakeCase(name);
    return [[column.startsWith(prefix) ? column : `${prefix}${column}`, value]];
  });
}

/** Converts a value of a view to its stored form. DuckDB returns 64-bit integers as text, and times in another form. */
function storedValue(shown: unknown, like: unknown): unknown {
  if (typeof like === 'number') return Number(shown);
  const isTime = typeof shown === 'string' && /^\d{4}-\d\d-\d\d \d\d:/.test(shown) && shown !== like;
  return isTime ? new Date(shown.replace(' ', 'T').replace('+00', 'Z')).toISOString() : shown;
}

function expectShown(row: Readonly<Record<string, unknown>> | undefined, attributes: object): void {
  for (const [column, value] of expectedColumns({ ...attributes })) {
    const shown = row && `raw_${column}` in row ? row[`raw_${column}`] : row?.[column];
    expect([column, storedValue(shown, value)]).toEqual([column, value]);
  }
}

describe('the views', () => {
  it('show every attribute of a record, its legs, errors, unrecognised fields and other summaries', async () => {
    const shown = newRecord(
      receivedSummary(
        summaryOf(summaryBody({ ...whole, endTime: '2026-01-13T09:00:00Z' }, { version: 5 })),
        RECEIVED,
      ),
    );
    const stored = {
      ...merge(shown, record({ ...whole, sessionStatus: 'FAILED', lastAction: 'HANGUP' })),
      unsuccessfulIn: '8x8_test',
      unsuccessfulAt: '2026-01-13T08:27:33.000Z',
      // Added by the session table.
      expiresAt: 1_800_000_000,
    };
    const alternate = stored.alternates?.[0];
    const { rows } = await ask(await exportOf([stored]), {
      sessions: 'FROM sessions',
      legs: 'FROM call_legs',
      errors: 'FROM session_errors ORDER BY leg NULLS FIRST',
      summaries: 'FROM session_summaries ORDER BY is_shown DESC',
      unrecognised: 'FROM unrecognised_fields ORDER BY path',
    });

    expectShown(rows('sessions')[0], stored);
    expect(rows('legs')).toHaveLength(1);
    expectShown(rows('legs')[0], {
      leg: 'callA',
      ...leg,
      connectedTimestamp: '2026-01-13T08:27:09.500Z',
      initiatedTimestamp: '2026-01-13T08:26:58.000Z',
      disconnectedTimestamp: '2026-01-13T08:27:33.000Z',
    });
    expect(rows('errors')).toMatchObject([
      {
        leg: null,
        error_code: '-2004',
        error_msg: 'of the session',
        error_action: 'SAY',
        retry_can_help: false,
      },
      {
        leg: 'callA',
        error_code: '-2001',
        error_msg: 'of the leg',
        error_action: 'SAY',
        retry_can_help: true,
      },
    ]);
    expectShown(rows('summaries')[0], expectedSummary(stored));
    expectShown(rows('summaries')[1], { ...alternate });
    expect(rows('unrecognised')).toMatchObject([
      { path: 'payload.dtmf', value: '{"M":{"pressed":{"L":[{"S":"1"},{"N":"2"}]}}}' },
    ]);
    // Verifies that expectedColumns covers every attribute except for these four.
    const seen = expectedColumns({ ...stored }).map(([column]) => column);
    expect(
      Object.keys(stored)
        .filter((name) => !seen.includes(snakeCase(name)))
        .toSorted(),
    ).toEqual(['alternates', 'errorDetails', 'legs', 'unrecognised']);
  });

  it('show one row per session with its stored values, for any delivery', async () => {
    const deliveries = fc.sample(delivery, 300);
    const records = deliveries.flatMap((delivered, i): SessionRecord[] => {
      const read = canonicalise(delivered);
      if (read.outcome !== 'summary') return [];
      return [newRecord(receivedSummary({ ...read.summary, sessionId: `session-${i}` }, RECEIVED))];
    });
    const { rows } = await ask(await exportOf(records), {
      sessions: 'FROM sessions',
      legs: 'FROM call_legs',
      unrecognised: 'FROM unrecognised_fields',
    });
    const sessions = new Map(rows('sessions').map((row) => [row['session_id'], row]));
    const legs = Map.groupBy(rows('legs'), (row) => row['session_id']);
    const unrecognised = Map.groupBy(rows('unrecognised'), (row) => row['session_id']);

    expect(records.length).toBeGreaterThan(100);
    expect(rows('sessions')).toHaveLength(records.length);
    for (const { sessionId, ...attributes } of records) {
      expectShown(sessions.get(sessionId), attributes);
      const stored = legsOf(attributes);
      expect(legs.get(sessionId) ?? []).toHaveLength(stored.length);
      for (const each of stored) {
        expectShown(
          legs.get(sessionId)?.find((row) => row['leg'] === each['leg']),
          each,
        );
      }
      expect((unrecognised.get(sessionId) ?? []).map((row) => row['path']).toSorted()).toEqual(
        Object.keys(attributes['unrecognised'] ?? {}).toSorted(),
      );
    }
  });
});

function expectedSummary({
  alternates: _,
  revision: __,
  unsuccessfulIn: ___,
  unsuccessfulAt: ____,
  ...summary
}: SessionRecord): object {
  const { expiresAt: _____, ...own } = summary;
  return own;
}

function legsOf(attributes: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  const { legs } = attributes;
  return Array.isArray(legs) ? legs.map((each) => ({ ...each })) : [];
}

describe('derived columns', () => {
  /** The rows of sessions with these payloads, in their order. */
  const sessionsOf = async (...payloads: readonly Readonly<Record<string, unknown>>[]) => {
    const records = payloads.map((payload, i) => record({ sessionId: `session-${i}`, ...payload }));
    const { rows } = await ask(await exportOf(records), { sessions: 'FROM sessions ORDER BY session_id' });
    return rows('sessions');
  };

  it('map every status that 8x8 documents to an outcome', async () => {
    const records = [...STATUSES, 'TRANSFERRED'].map((sessionStatus) =>
      record({ sessionId: sessionStatus, sessionStatus }),
    );
    const { rows } = await ask(await exportOf(records), {
      outcomes: 'SELECT session_status, outcome FROM sessions',
    });

    expect(
      Object.fromEntries(rows('outcomes').map((row) => [row['session_status'], row['outcome']])),
    ).toEqual({
      COMPLETED: 'answered',
      NO_ANSWER: 'unanswered',
      BUSY: 'unanswered',
      CANCELED: 'unanswered',
      FAILED: 'failed',
      ERROR: 'failed',
      COMPLETED_UNSUBSCRIBED: 'opted_out',
      COMPLETED_UNSUB_ERROR: 'opted_out',
      UNSUBSCRIBED_CONTACT: 'opted_out',
      TRANSFERRED: 'other',
    });
  });

  it('set is_incomplete for a session without a status, a start or an end', async () => {
    const missing = [{}, { sessionStatus: null }, { startTime: '' }, { endTime: 'yesterday' }];
    const records = missing.map((fields, i) => record({ sessionId: `session-${i}`, ...fields }));
    const { rows } = await ask(await exportOf(records), {
      sessions: 'SELECT is_incomplete FROM sessions ORDER BY session_id',
      summaries: 'SELECT is_incomplete FROM session_summaries ORDER BY session_id',
    });

    for (const name of ['sessions', 'summaries'] as const)
      expect(rows(name).map((row) => row['is_incomplete'])).toEqual([false, true, true, true]);
  });

  it('are null, or `other`, for a session that has neither a status nor times', async () => {
    const { rows } = await ask(await exportOf([record({ ...NOTHING_KNOWN, details: { callA: leg } })]), {
      sessions: 'FROM sessions',
      legs: 'FROM call_legs',
    });

    expect(rows('sessions')).toMatchObject([
      {
        session_status: null,
        start_time: null,
        end_time: null,
        start_date: null,
        start_hour: null,
        duration_seconds: null,
        outcome: 'other',
        is_incomplete: true,
        talk_seconds: '23',
        unsuccessful_in: '8x8_test',
        unsuccessful_at: '2026-11-20 10:00:00.25+00',
      },
    ]);
    expect(rows('legs')).toMatchObject([
      { session_status: null, start_time: null, start_date: null, route: 'SG-PH', ring_seconds: '11' },
    ]);
  });

  it('count the different summaries of a session, not the writes of its record', async () => {
    const conflicting = [{}, { sessionStatus: 'FAILED' }, NOTHING_KNOWN]
      .map((payload) => record({ sessionId: 'b', ...payload }))
      .reduce(merge);
    const { rows } = await ask(
      await exportOf([
        { ...record({ sessionId: 'a' }), revision: 7 },
        { ...conflicting, revision: 9 },
      ]),
      {
        sessions: 'SELECT session_id, summary_count, revision FROM sessions ORDER BY session_id',
        summaries:
          "SELECT is_shown, is_incomplete FROM session_summaries WHERE session_id = 'b' ORDER BY is_incomplete, is_shown DESC",
      },
    );

    expect(rows('sessions')).toEqual([
      { session_id: 'a', summary_count: '1', revision: '7' },
      { session_id: 'b', summary_count: '3', revision: '9' },
    ]);
    expect(rows('summaries')).toEqual([
      { is_shown: true, is_incomplete: false },
      { is_shown: false, is_incomplete: false },
      { is_shown: false, is_incomplete: true },
    ]);
  });

  it('use 8x8’s bands of call quality, and the worst leg for the session', async () => {
    const scores = [5, 4.3, 4.29, 4, 3.99, 3.6, 3.59, 3.1, 3.09, 1];
    const records = scores.map((mos) =>
      record({
        sessionId: `mos-${mos}`,
        details: {
          callA: { ...leg, callQuality: { mos: 5 } },
          callB: { ...leg, callQuality: { mos } },
          callC: {},
        },
      }),
    );
    const { rows } = await ask(await exportOf(records), {
      sessions: 'SELECT mos, mos_band FROM sessions ORDER BY mos DESC',
      legs: "SELECT mos, mos_band FROM call_legs WHERE leg = 'callB' ORDER BY mos DESC",
    });
    const bands = ['excellent', 'excellent', 'good', 'good', 'fair', 'fair', 'poor', 'poor', 'bad', 'bad'];

    for (const name of ['sessions', 'legs'] as const)
      expect(rows(name)).toEqual(scores.map((mos, i) => ({ mos, mos_band: bands[i] })));
  });

  it('count talk time only while all legs were connected', async () => {
    const answered = { ...leg, callDuration: 37 };
    const unanswered = { ...leg, connectedTimestamp: undefined, callDuration: 0 };

    const shown = await sessionsOf(
      { details: { callA: answered, callB: leg } },
      { details: { callA: answered, callB: unanswered } },
      { details: { callA: answered, callB: {} } },
      { details: { callA: unanswered } },
      {},
    );

    expect(shown).toMatchObject([
      { talk_seconds: '23', leg_count: '2' },
      { talk_seconds: '0' },
      { talk_seconds: '37' },
      { talk_seconds: '0', mos: 4.5 },
      { talk_seconds: null, leg_count: '0', mos: null, mos_band: null, country: null },
    ]);
  });

  it('contain the start, the duration and the country of a session', async () => {
    const shown = await sessionsOf(
      {
        startTime: '2026-01-13T23:59:59.9+02:00',
        endTime: '2026-01-13T22:01:00.1Z',
        details: { callA: leg },
      },
      { details: { callA: { ...leg, callDirection: 'INBOUND' } } },
    );

    expect(shown).toMatchObject([
      { start_date: '2026-01-13', start_hour: '21', duration_seconds: '60', country: 'PH' },
      { country: 'SG' },
    ]);
  });

  it('contain the route and the ring time of a leg', async () => {
    const { rows } = await ask(
      await exportOf([record({ details: { callA: leg, callB: { ...leg, sourceCountryCode: null } } })]),
      { legs: 'SELECT route, ring_seconds FROM call_legs ORDER BY leg' },
    );

    expect(rows('legs')).toEqual([
      { route: 'SG-PH', ring_seconds: '11' },
      { route: '??-PH', ring_seconds: '11' },
    ]);
  });

  it('contain the documented message of an error, and our interpretation', async () => {
    const codes = [...ERROR_CODES.keys(), -3000];
    const records = codes.map((errorCode) =>
      record({ sessionId: `error${errorCode}`, errorDetails: { errorCode, errorMsg: 'It’s "new"' } }),
    );
    const { rows } = await ask(await exportOf(records), {
      errors: 'SELECT error_code, error_msg, documented_message, meaning, retry_can_help FROM session_errors',
    });
    const byCode = new Map(rows('errors').map((row) => [Number(row['error_code']), row]));

    expect(byCode.size).toBe(codes.length);
    for (const [code, { message, meaning, retryCanHelp }] of ERROR_CODES) {
      expect(byCode.get(code)).toMatchObject({
        documented_message: message,
        meaning,
        retry_can_help: retryCanHelp,
        error_msg: 'It’s "new"',
      });
    }
    expect(byCode.get(-3000)).toMatchObject({
      documented_message: null,
      meaning: null,
      retry_can_help: null,
    });
  });
});

describe('the view definitions', () => {
  it('match the names, types and order of the columns in DuckDB', async () => {
    const views = [
      ...[...VIEWS, ...CHARGE_VIEWS].map((view) => ({ name: view.name, columns: columnsOf(view) })),
      ...VIEWS_WITH_HISTORY.map((view) => ({
        name: `${view.name}_history`,
        columns: [...EXPORT_COLUMNS, ...columnsOf(view)],
      })),
    ];
    const { rows } = await ask(
      await exportOf([record(whole)]),
      Object.fromEntries(views.map(({ name }) => [name, `DESCRIBE ${name}`])),
    );

    for (const { name, columns } of views) {
      expect(rows(name).map((row) => [row['column_name'], String(row['column_type']).toLowerCase()])).toEqual(
        columns.map(({ name, type }) => [
          name,
          type === 'timestamp' ? 'timestamp with time zone' : type.replace(/^decimal$/, 'decimal(24,12)'),
        ]),
      );
    }
  });

  it('are valid Trino SQL that casts each column to its type in Glue', () => {
    expect(parser.validate('SELECT FROM WHERE')).not.toEqual([]);
    expect(ATHENA_VIEWS.map(({ name }) => name)).toEqual([
      'exports',
      ...VIEWS.map(({ name }) => name),
      ...VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`),
      'session_changes',
      ...CHARGE_VIEWS.map(({ name }) => name),
    ]);
    for (const { name, sql, columns } of ATHENA_VIEWS) {
      expect([name, parser.validate(sql)]).toEqual([name, []]);
      for (const column of columns)
        expect(sql).toMatch(
          new RegExp(
            `CAST\\([^\\n]* AS ${TRINO.types[column.type].replace(/[()]/g, '\\$&')}\\) AS ${column.name}\\b`,
          ),
        );
    }
    for (const { name, sql } of [...SAVED_QUERIES, ...CHARGE_QUERIES])
      expect([name, parser.validate(sql(TRINO))]).toEqual([name, []]);
  });

  it('take days and hours in Athena from the time zone of the stage', () => {
    const singapore = trino('Asia/Singapore');
    const local = "at_timezone(with_timezone(received_at, 'UTC'), 'Asia/Singapore')";

    const views = athenaViews(7, singapore, true);
    const others = views.filter(({ sql }) => !ATHENA_VIEWS.some((view) => view.sql === sql));
    expect(others.length).toBeGreaterThan(0);
    for (const { name, sql } of others) expect([name, parser.validate(sql)]).toEqual([name, []]);
    const sessions = views.find(({ name }) => name === 'sessions');
    expect(sessions?.sql).toContain(`CAST(${local} AS date)`);
    expect(sessions?.sql).toMatch(
      /hour\(at_timezone\(with_timezone\(CASE .* END, 'UTC'\), 'Asia\/Singapore'\)\)/,
    );
    const yesterday = SAVED_QUERIES.find(({ name }) => name === 'failures-yesterday');
    expect(yesterday?.sql(singapore)).toContain("at_timezone(current_timestamp, 'Asia/Singapore')");
    expect(parser.validate(yesterday?.sql(singapore) ?? '')).toEqual([]);
  });

  // The comparisons of rows cover the others.
  it.each(['sessions', 'call_charges'])('match the snapshot of %s for Trino', (view) => {
    expect(ATHENA_VIEWS.find(({ name }) => name === view)?.sql).toMatchSnapshot();
  });

  it('describe each column', () => {
    for (const view of [...VIEWS, ...CHARGE_VIEWS]) {
      for (const { description } of columnsOf(view)) expect(description.length).toBeGreaterThan(5);
    }
  });
});

describe('the saved queries', () => {
  it('return the expected rows', async () => {
    const records = [
      record({ sessionId: 'a', details: { callA: leg } }),
      record({ sessionId: 'b', sessionStatus: 'ERROR', ...whole }),
      record({ sessionId: 'c', sessionStatus: 'COMPLETED_UNSUBSCRIBED' }),
      merge(record({ sessionId: 'd' }), record({ sessionId: 'd', sessionStatus: 'FAILED' })),
    ];
    const queries = Object.fromEntries(SAVED_QUERIES.map(({ name, sql }) => [name, sql(DUCKDB)]));
    const { rows } = await ask(await exportOf(records), queries);

    expect(rows('outcomes-by-day')).toMatchObject([
      { start_date: '2026-01-13', sessions: '4', opted_out: '1' },
    ]);
    expect(rows('failures-by-country')).toContainEqual({
      start_date: '2026-01-13',
      country: 'PH',
      error_code: '-2004',
      sessions: '1',
    });
    expect(rows('errors')).toMatchObject([
      { error_code: '-2001', sessions: '2' },
      { error_code: '-2004', sessions: '1' },
    ]);
    // Two legs are too few for a mean.
    expect(rows('worst-routes')).toEqual([]);
    expect(rows('quality-bands')).toMatchObject([{ mos_band: 'excellent', legs: '2' }]);
    expect(rows('opt-outs')).toEqual([
      { start_month: '2026-01-01', session_status: 'COMPLETED_UNSUBSCRIBED', sessions: '1' },
    ]);
    expect(rows('durations')).toMatchObject([{ country: 'PH', median_seconds: '23', sessions: '2' }]);
    expect(rows('busy-hours')).toMatchObject([{ start_hour: '8', sessions: '4' }]);
    expect(rows('conflicts').map((row) => [row['session_id'], row['is_shown']])).toEqual([
      ['d', true],
      ['d', false],
    ]);
    expect(rows('unrecognised')).toMatchObject([{ path: 'payload.dtmf', sessions: '1' }]);
    expect(rows('failures-yesterday')).toEqual([]);
  });

  it('count the failures of yesterday', async () => {
    const today = new Date().toISOString();
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const failed = { ...whole, sessionStatus: 'FAILED' };
    const sql = SAVED_QUERIES.find(({ name }) => name === 'failures-yesterday')?.sql(DUCKDB) ?? '';
    const { rows } = await ask(
      await exportOf([
        { ...record({ ...failed, sessionId: 'a', startTime: yesterday }), receivedAt: yesterday },
        { ...record({ ...failed, sessionId: 'b', startTime: null }), receivedAt: yesterday },
        {
          ...record({ ...failed, sessionId: 'c', startTime: '9999-01-01T00:00:00Z' }),
          receivedAt: yesterday,
        },
        record({ ...failed, sessionId: 'd' }),
        // If the day changes before the query runs, these three count instead.
        ...['e', 'f', 'g'].map((sessionId) => ({
          ...record({ ...failed, sessionId, startTime: today }),
          receivedAt: today,
        })),
      ]),
      { sql },
    );

    expect(rows('sql')).toEqual([{ country: 'PH', error_code: '-2004', sessions: '3' }]);
  });

  it('count and list a session without a status, a start and an end', async () => {
    const records = [
      record({ sessionId: 'a' }),
      record({ sessionId: 'b', ...NOTHING_KNOWN, errorDetails: { errorCode: -2004 }, dtmf: 1 }),
      merge(record({ sessionId: 'c' }), record({ sessionId: 'c', ...NOTHING_KNOWN })),
    ];
    const queries = Object.fromEntries(SAVED_QUERIES.map(({ name, sql }) => [name, sql(DUCKDB)]));
    const { rows } = await ask(await exportOf(records), queries);

    expect(rows('outcomes-by-day')).toMatchObject([
      { start_date: '2026-01-13', sessions: '2', answered: '2', other: '0' },
      { start_date: null, sessions: '1', answered: '0', other: '1' },
    ]);
    expect(rows('busy-hours')).toMatchObject([
      { start_hour: '8', sessions: '2' },
      { start_hour: null, sessions: '1' },
    ]);
    expect(rows('errors')).toMatchObject([{ error_code: '-2004', sessions: '1', last_seen: null }]);
    expect(rows('unrecognised')).toMatchObject([
      { path: 'payload.dtmf', sessions: '1', first_seen: '2026-11-20', last_seen: '2026-11-20' },
    ]);
    expect(rows('conflicts')).toMatchObject([
      { session_id: 'c', is_shown: true, session_status: 'COMPLETED' },
      { session_id: 'c', is_shown: false, session_status: null, end_time: null },
    ]);
    expect(rows('incomplete')).toEqual([
      {
        session_id: 'b',
        session_status: null,
        start_time: null,
        end_time: null,
        received_at: '2026-11-20 10:00:00.25+00',
      },
    ]);
  });
});
