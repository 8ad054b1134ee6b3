import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import {
  type ComparisonOptions,
  SessionComparison,
} from '../../../functions/reconciliation/compare-sessions.ts';
import type { RecordedSession } from '../../../functions/reconciliation/recorded-sessions.ts';
import { legRow } from './leg-rows.ts';

const EXPORTED_AT = Date.parse('2026-11-25T06:00:00Z');

type Table = Readonly<Record<string, RecordedSession>>;
const delivered = (status = 'COMPLETED'): RecordedSession => ({ status, reconstructedDigest: undefined });
const reconstructed = (digest: string): RecordedSession => ({
  status: 'COMPLETED',
  reconstructedDigest: digest,
});

async function compare(rows: Iterable<LegRow>, table: Table = {}, options: Partial<ComparisonOptions> = {}) {
  const comparison = new SessionComparison({
    day: '2026-11-24',
    exportedAt: EXPORTED_AT,
    limit: 1_000,
    skipped: new Set(),
    lookUp: async (ids) => new Map(ids.flatMap((id) => (table[id] ? [[id, table[id]] as const] : []))),
    ...options,
  });
  for (const row of rows) await comparison.add(row);
  const candidates = await comparison.finish();
  return { ...comparison.found, candidates, collected: comparison.collected };
}

describe('a comparison', () => {
  it('tells missing sessions from delivered, reconstructed and differing ones', async () => {
    const table = {
      delivered: delivered(),
      differing: delivered('BUSY'),
      reconstructed: reconstructed('digest'),
      'unknown-status': delivered(),
    };
    const rows = [...Object.keys(table), 'missing'].map((SessionId) =>
      legRow({ SessionId }, SessionId === 'unknown-status' ? ['SessionStatus'] : []),
    );

    expect(await compare(rows, table)).toEqual({
      sessions: 5,
      matched: 4,
      reconstructed: 1,
      late: 0,
      missing: 1,
      differing: 1,
      differingSessions: [{ sessionId: 'differing', exported: 'COMPLETED', recorded: 'BUSY' }],
      candidates: [
        { sessionId: 'reconstructed', rows: [rows[2]], reconstructedDigest: 'digest' },
        { sessionId: 'missing', rows: [rows[4]], reconstructedDigest: undefined },
      ],
      collected: ['reconstructed', 'missing'],
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
      stored: fc.constantFrom(undefined, delivered(), delivered('BUSY'), reconstructed('digest')),
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
        expect(found.reconstructed).toBe(count('reconstructed') + count('reconstructed, late'));
        expect(found.sessions).toBe(expected.filter((each) => each !== 'another day').length);
        const candidates = expected.flatMap((each, i) =>
          each === 'missing' || each === 'reconstructed' ? [`session-${i}`] : [],
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
    expect(found.collected.length).toBe(10);
    expect(found.candidates.every((each) => each.rows.length === 2)).toBe(true);
    expect(Math.max(...lookedUp)).toBe(100);
    expect(lookedUp.reduce((sum, each) => sum + each)).toBe(50_000);
  });

  it('collects other sessions if those of an earlier pass are skipped', async () => {
    const rows = ['a', 'b', 'c'].map((SessionId) => legRow({ SessionId }));

    const first = await compare(rows, {}, { limit: 2 });
    const second = await compare(rows, {}, { limit: 2, skipped: new Set(first.collected) });

    expect([first.missing, second.missing]).toEqual([3, 3]);
    expect([first.collected, second.collected]).toEqual([['a', 'b'], ['c']]);
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
  const isLate = hours(end) < 1 || (isOpen && hours(start) < 24);
  if (stored === undefined) return isLate ? 'late' : 'missing';
  if (stored.reconstructedDigest === undefined) return 'delivered';
  return isLate ? 'reconstructed, late' : 'reconstructed';
}
