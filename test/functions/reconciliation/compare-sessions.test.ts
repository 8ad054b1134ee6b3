import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import {
  type ComparisonOptions,
  REMEMBERED,
  SessionComparison,
} from '../../../functions/reconciliation/compare-sessions.ts';
import { MAX_LEGS } from '../../../functions/reconciliation/reconstruct.ts';
import type { RecordedSession } from '../../../functions/reconciliation/recorded-sessions.ts';
import { legRow } from './leg-rows.ts';

const EXPORTED_AT = Date.parse('2026-11-25T06:00:00Z');

type Table = Readonly<Record<string, RecordedSession>>;
const delivered = (status = 'COMPLETED'): RecordedSession => ({ status, reconstructedLegs: undefined });
const reconstructed = (legs: number): RecordedSession => ({ status: 'COMPLETED', reconstructedLegs: legs });

async function compare(rows: Iterable<LegRow>, table: Table = {}, options: Partial<ComparisonOptions> = {}) {
  const comparison = new SessionComparison({
    day: '2026-11-24',
    exportedAt: EXPORTED_AT,
    now: EXPORTED_AT,
    limit: 1_000,
    retentionMs: undefined,
    deadLetters: new Set(),
    part: { index: 0, of: 1 },
    lookUp: async (ids) => new Map(ids.flatMap((id) => (table[id] ? [[id, table[id]] as const] : []))),
    ...options,
  });
  for (const row of rows) await comparison.add(row);
  const candidates = await comparison.finish();
  return { ...comparison.found, candidates };
}

describe('a comparison', () => {
  it('tells missing sessions from delivered, reconstructed and differing ones', async () => {
    const table = {
      delivered: delivered(),
      differing: delivered('BUSY'),
      reconstructed: reconstructed(1),
      'with-more-legs': reconstructed(1),
      'unknown-status': delivered(),
    };
    const rows = [...Object.keys(table), 'missing', 'with-more-legs'].map((SessionId) =>
      legRow({ SessionId }, SessionId === 'unknown-status' ? ['SessionStatus'] : []),
    );

    expect(await compare(rows, table)).toEqual({
      sessions: 6,
      matched: 5,
      reconstructed: 2,
      reconstructedSessions: ['reconstructed', 'with-more-legs'],
      deadLettered: 0,
      late: 0,
      expired: 0,
      missing: 1,
      differing: 1,
      differingSessions: [{ sessionId: 'differing', exported: 'COMPLETED', recorded: 'BUSY' }],
      candidates: [
        { sessionId: 'with-more-legs', rows: [rows[3], rows[6]], isTruncated: false, isMissing: false },
        { sessionId: 'missing', rows: [rows[5]], isTruncated: false, isMissing: true },
      ],
    });
  });

  it.each([
    ['ended half an hour before the export', '2026-11-25T05:30:01.000Z', 'late'],
    ['ended an hour before the export', '2026-11-25T05:00:00.000Z', 'missing'],
  ])('counts a session that %s, as at %s, as %s', async (_, DisconnectedAt, expected) => {
    const found = await compare([legRow({ DisconnectedAt })]);

    expect(found).toMatchObject({ sessions: 1, late: 0, missing: 0, [expected]: 1 });
    expect(found.candidates.length).toBe(expected === 'missing' ? 1 : 0);
  });

  it('counts a session with a leg that has no end as late for a day', async () => {
    const open = (InitiatedAt: string) => [
      legRow(),
      legRow({ InitiatedAt }, ['ConnectedAt', 'DisconnectedAt']),
    ];

    expect(await compare(open('2026-11-24T08:00:01.000Z'))).toMatchObject({ late: 1, missing: 0 });
    expect(
      await compare(open('2026-11-24T08:00:01.000Z'), {}, { exportedAt: EXPORTED_AT + 86_400_000 }),
    ).toMatchObject({ late: 0, missing: 1 });
    // An end in the future is not believed for longer.
    const future = [legRow({ DisconnectedAt: '2030-01-01T00:00:00.000Z' })];
    expect(await compare(future, {}, { exportedAt: EXPORTED_AT + 86_400_000 })).toMatchObject({ missing: 1 });
  });

  it('does not count a session as missing whose record has expired', async () => {
    const ending = (DisconnectedAt: string) => [legRow({ DisconnectedAt })];
    // It is 23 hours after 09:00, and an hour later when the table has been read.
    const options = { now: Date.parse('2026-11-25T08:00:00Z'), retentionMs: 24 * 3_600_000 };

    const expired = await compare(ending('2026-11-24T09:00:00.000Z'), {}, options);
    expect(expired).toMatchObject({ sessions: 1, expired: 1, missing: 0, candidates: [] });
    expect(await compare(ending('2026-11-24T09:00:00.001Z'), {}, options)).toMatchObject({
      expired: 0,
      missing: 1,
    });
  });

  it('counts a session on the day on which its first leg starts, whatever the order of its rows', async () => {
    const before = legRow({ InitiatedAt: '2026-11-23T23:59:59.999Z' });
    const after = legRow({ InitiatedAt: '2026-11-24T00:00:01.000Z' });

    for (const rows of [
      [before, after],
      [after, before],
    ]) {
      expect(await compare(rows)).toMatchObject({ sessions: 0, missing: 0, candidates: [] });
      expect(await compare(rows, {}, { day: '2026-11-23' })).toMatchObject({ sessions: 1, missing: 1 });
    }
  });

  it('finds what a simple calculation finds, for any rows in any order', async () => {
    const session = fc.record({
      legs: fc.array(
        fc.record({
          start: fc.integer({ min: -3, max: 27 }),
          minutes: fc.option(fc.integer({ min: 0, max: 400 })),
          status: fc.constantFrom('COMPLETED', 'BUSY', undefined),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      stored: fc.constantFrom(undefined, delivered(), delivered('BUSY'), reconstructed(1), reconstructed(2)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(session, { maxLength: 30 }), fc.gen(), async (sessions, gen) => {
        const rowsOf = sessions.map(({ legs }, i) =>
          legs.map(({ start, minutes, status }) => {
            const initiated = Date.parse('2026-11-24T00:00:00Z') + start * 3_600_000;
            const columns = {
              SessionId: `session-${i}`,
              InitiatedAt: new Date(initiated).toISOString(),
              ...(status !== undefined && { SessionStatus: status }),
              ...(minutes !== null && {
                DisconnectedAt: new Date(initiated + minutes * 60_000).toISOString(),
              }),
            };
            return legRow(columns, [
              'ConnectedAt',
              ...(status === undefined ? (['SessionStatus'] as const) : []),
              ...(minutes === null ? (['DisconnectedAt'] as const) : []),
            ]);
          }),
        );
        const table = Object.fromEntries(
          sessions.flatMap(({ stored }, i) => (stored ? [[`session-${i}`, stored] as const] : [])),
        );
        const all = rowsOf.flat();
        const shuffled = gen(fc.shuffledSubarray, all, { minLength: all.length });

        const found = await compare(shuffled, table);

        const expected = rowsOf.map((rows, i) => simply(rows, table[`session-${i}`]));
        const count = (kind: string) => expected.filter((each) => each === kind).length;
        expect(found.late).toBe(count('late'));
        expect(found.missing).toBe(count('missing'));
        expect(found.reconstructed).toBe(count('reconstructed') + count('poorer'));
        expect(found.sessions).toBe(expected.filter((each) => each !== 'another day').length);
        const candidates = expected.flatMap((each, i) =>
          each === 'missing' || each === 'poorer' ? [`session-${i}`] : [],
        );
        expect(found.candidates.map(({ sessionId }) => sessionId).sort()).toEqual(candidates.sort());
        for (const { sessionId, rows } of found.candidates) {
          const calls = rowsOf[Number(sessionId.replace('session-', ''))]?.map(({ CallId }) => CallId);
          expect(rows.map(({ CallId }) => CallId).sort()).toEqual(calls?.sort());
        }
      }),
      { numRuns: 200 },
    );
  });

  it('remembers a bounded number of sessions, and counts each once if its rows are close together', async () => {
    function* rows() {
      for (let i = 0; i < 50_000; i++) {
        for (const CallId of ['a', 'b'])
          yield legRow({ SessionId: `session-${i}`, CallId: `${i}-${CallId}` });
      }
    }
    const lookedUp: number[] = [];

    const found = await compare(
      rows(),
      {},
      {
        limit: 10,
        lookUp: async (ids) => {
          lookedUp.push(ids.length);
          return new Map(ids.filter((id) => !id.endsWith('7')).map((id) => [id, delivered()]));
        },
      },
    );

    expect(found).toMatchObject({ sessions: 50_000, matched: 45_000, missing: 5_000 });
    expect(found.candidates.length).toBe(10);
    expect(found.candidates.every((each) => each.rows.length === 2)).toBe(true);
    expect(Math.max(...lookedUp)).toBe(100);
    expect(lookedUp.reduce((sum, each) => sum + each)).toBe(50_000);
  });

  it('counts a session twice whose rows are further apart than it remembers', async () => {
    function* rows() {
      yield legRow({ SessionId: 'far-apart' });
      for (let i = 0; i < REMEMBERED; i++) yield legRow({ SessionId: `session-${i}` });
      yield legRow({ SessionId: 'far-apart' });
    }

    const lookUp = async (ids: readonly string[]) => new Map(ids.map((id) => [id, delivered()]));

    expect(await compare(rows(), {}, { lookUp })).toMatchObject({ sessions: REMEMBERED + 2 });
  });

  it('looks up a session before it forgets it', async () => {
    function* rows() {
      yield legRow({ SessionId: 'delivered' });
      // These are not looked up.
      for (let i = 0; i <= REMEMBERED; i++)
        yield legRow({ SessionId: `session-${i}`, InitiatedAt: '2026-11-25T01:00:00.000Z' });
    }

    expect(await compare(rows(), { delivered: delivered() })).toMatchObject({ matched: 1, missing: 0 });
  });

  it('looks up no session that started on another day, and each other one once', async () => {
    const lookedUp: string[] = [];
    const rows = [
      legRow({ SessionId: 'before', InitiatedAt: '2026-11-23T23:59:59.999Z' }),
      legRow({ SessionId: 'before' }),
      legRow({ SessionId: 'after', InitiatedAt: '2026-11-25T00:00:00.000Z' }),
      legRow({ SessionId: 'turns-out', InitiatedAt: '2026-11-25T00:00:01.000Z' }),
      legRow({ SessionId: 'turns-out', InitiatedAt: '2026-11-24T23:59:59.000Z' }),
      legRow({ SessionId: 'turns-out', InitiatedAt: '2026-11-24T23:59:58.000Z' }),
    ];

    const { candidates } = await compare(
      rows,
      {},
      {
        exportedAt: EXPORTED_AT + 2 * 86_400_000,
        lookUp: async (ids) => {
          lookedUp.push(...ids);
          return new Map();
        },
      },
    );

    expect(lookedUp).toEqual(['turns-out']);
    expect(candidates).toMatchObject([{ sessionId: 'turns-out', rows: rows.slice(3) }]);
  });

  it('divides the sessions into parts, each in exactly one', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => legRow({ SessionId: `session-${i}` }));

    const parts = await Promise.all([0, 1, 2].map((index) => compare(rows, {}, { part: { index, of: 3 } })));

    const ids = parts.map(({ candidates }) => candidates.map(({ sessionId }) => sessionId));
    expect(ids.flat().sort()).toEqual(rows.map(({ SessionId }) => SessionId).sort());
    for (const { missing } of parts) expect(missing).toBeGreaterThan(60);
  });

  it('keeps a bounded number of rows of a session, and says so', async () => {
    const rows = Array.from({ length: 1_000 }, () => legRow());

    const { candidates } = await compare(rows);

    expect(candidates).toMatchObject([{ sessionId: 'session', isTruncated: true }]);
    expect(candidates[0]?.rows.length).toBe(MAX_LEGS + 1);
  });

  it('shows the status of the leg that ended last as the status of the export', async () => {
    const rows = [
      legRow({ SessionStatus: 'BUSY', DisconnectedAt: '2026-11-24T08:00:30.000Z' }),
      legRow({ SessionStatus: 'COMPLETED', DisconnectedAt: '2026-11-24T08:00:20.000Z' }),
    ];

    for (const each of [rows, rows.toReversed()])
      expect(await compare(each, { session: delivered('FAILED') })).toMatchObject({
        differingSessions: [{ exported: 'BUSY', recorded: 'FAILED' }],
      });
  });

  it('does not count a session as missing that waits in the dead-letter queue', async () => {
    const rows = [legRow({ SessionId: 'waits' }), legRow({ SessionId: 'lost' })];

    expect(await compare(rows, {}, { deadLetters: new Set(['waits']) })).toMatchObject({
      missing: 1,
      deadLettered: 1,
      candidates: [{ sessionId: 'lost' }],
    });
  });

  it('rejects if the table cannot be read', async () => {
    const lookUp = () => Promise.reject(new Error('throttled'));

    await expect(compare([legRow()], {}, { lookUp })).rejects.toThrow('throttled');
  });
});

/** What a session is, calculated from all its rows at once. */
function simply(rows: readonly LegRow[], stored: RecordedSession | undefined): string {
  const start = rows.map(({ InitiatedAt }) => InitiatedAt).sort()[0] ?? '';
  if (!start.startsWith('2026-11-24')) return 'another day';
  const end =
    rows
      .map(({ InitiatedAt, DisconnectedAt }) => DisconnectedAt ?? InitiatedAt)
      .sort()
      .at(-1) ?? '';
  const isOpen = rows.some(({ DisconnectedAt }) => DisconnectedAt === undefined);
  const hours = (time: string) => (EXPORTED_AT - Date.parse(time)) / 3_600_000;
  const isLate = hours(start) < 24 && (isOpen || hours(end) < 1);
  if (stored === undefined) return isLate ? 'late' : 'missing';
  if (stored.reconstructedLegs === undefined) return 'delivered';
  return rows.length > stored.reconstructedLegs ? 'poorer' : 'reconstructed';
}
