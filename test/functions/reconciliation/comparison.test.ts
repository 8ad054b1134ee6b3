import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import { type ComparisonOptions, compare } from '../../../functions/reconciliation/comparison.ts';
import { readSessions } from '../../../functions/reconciliation/exported-sessions.ts';
import type { RecordedSession } from '../../../functions/reconciliation/recorded-sessions.ts';
import { legRow } from './leg-rows.ts';

const EXPORTED_AT = Date.parse('2026-11-25T06:00:00Z');

type Table = Readonly<Record<string, RecordedSession>>;
const delivered = (status = 'COMPLETED'): RecordedSession => ({
  subAccountId: 'acme',
  status,
  reconstruction: undefined,
});
const reconstructed: RecordedSession = { ...delivered(), reconstruction: { legs: 1, digest: 'digest' } };

async function comparisonOf(
  rows: readonly LegRow[],
  table: Table = {},
  options: Partial<ComparisonOptions> = {},
) {
  const read = rows.map((row, i) => ({
    ...{ outcome: 'row' as const, row, exportedId: row.SessionId, unreadable: 0, file: 1, record: i + 2 },
  }));
  async function* batches() {
    yield read;
  }
  const { result, candidates } = await compare(await readSessions(batches(), '2026-11-24'), {
    subAccountId: 'acme',
    day: '2026-11-24',
    exportedAt: EXPORTED_AT,
    now: EXPORTED_AT,
    retentionMs: undefined,
    deadLetters: new Set(),
    lookUp: async (ids) => new Map(ids.flatMap((id) => (table[id] ? [[id, table[id]] as const] : []))),
    ...options,
  });
  return { ...result, candidates: candidates.map(([sessionId]) => sessionId) };
}

describe('a comparison', () => {
  it('tells missing sessions from delivered, reconstructed and differing ones', async () => {
    const table = {
      delivered: delivered(),
      differing: delivered('BUSY'),
      reconstructed,
      'unknown-status': delivered(),
    };
    const rows = [...Object.keys(table), 'missing'].map((SessionId) =>
      legRow({ SessionId }, SessionId === 'unknown-status' ? ['SessionStatus'] : []),
    );

    expect(await comparisonOf(rows, table)).toMatchObject({
      sessions: 5,
      matched: 4,
      reconstructed: 1,
      reconstructedSessions: ['reconstructed'],
      missing: 1,
      missingSessions: ['missing'],
      differing: 1,
      differingSessions: [{ sessionId: 'differing', exported: 'COMPLETED', recorded: 'BUSY' }],
      candidates: ['missing', 'reconstructed'],
    });
  });

  it.each([
    ['ended half an hour before the export', '2026-11-25T05:30:01.000Z', 'late'],
    ['ended an hour before the export', '2026-11-25T05:00:00.000Z', 'missing'],
  ])('counts a session that %s, as at %s, as %s', async (_, DisconnectedAt, expected) => {
    const found = await comparisonOf([legRow({ DisconnectedAt })]);

    expect(found).toMatchObject({ sessions: 1, late: 0, missing: 0, [expected]: 1 });
    expect(found.candidates.length).toBe(expected === 'missing' ? 1 : 0);
  });

  it('counts a session with a leg that has no end as late for a day', async () => {
    const open = (InitiatedAt: string) => [
      legRow(),
      legRow({ InitiatedAt }, ['ConnectedAt', 'DisconnectedAt']),
    ];
    const later = { exportedAt: EXPORTED_AT + 86_400_000 };

    expect(await comparisonOf(open('2026-11-24T08:00:01.000Z'))).toMatchObject({ late: 1, missing: 0 });
    expect(await comparisonOf(open('2026-11-24T08:00:01.000Z'), {}, later)).toMatchObject({
      late: 0,
      missing: 1,
    });
  });

  it('does not count a session as missing whose record has expired', async () => {
    const ending = (DisconnectedAt: string) => [legRow({ DisconnectedAt })];
    // It is 23 hours after 09:00, and an hour later when the table has been read.
    const options = { now: Date.parse('2026-11-25T08:00:00Z'), retentionMs: 24 * 3_600_000 };

    const expired = await comparisonOf(ending('2026-11-24T09:00:00.000Z'), {}, options);
    expect(expired).toMatchObject({ sessions: 1, expired: 1, missing: 0, candidates: [] });
    expect(await comparisonOf(ending('2026-11-24T09:00:00.001Z'), {}, options)).toMatchObject({
      expired: 0,
      missing: 1,
    });
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
      stored: fc.constantFrom(undefined, delivered(), delivered('BUSY'), reconstructed),
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

        const found = await comparisonOf(shuffled, table);

        const expected = rowsOf.map((rows, i) => simply(rows, table[`session-${i}`]));
        const idsOf = (...kinds: string[]) =>
          expected.flatMap((each, i) => (kinds.includes(each) ? [`session-${i}`] : []));
        expect(found.late).toBe(idsOf('late').length);
        expect(found.missingSessions.toSorted()).toEqual(idsOf('missing').toSorted());
        expect(found.reconstructedSessions.toSorted()).toEqual(idsOf('reconstructed').toSorted());
        expect(found.sessions).toBe(expected.length - idsOf('another day').length);
        expect(found.candidates.toSorted()).toEqual(idsOf('missing', 'reconstructed').toSorted());
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 50) },
    );
  });

  it('looks up each session that has a row of the day once, and no other', async () => {
    const lookedUp: string[] = [];
    const rows = [
      legRow({ SessionId: 'before', InitiatedAt: '2026-11-23T23:59:59.999Z' }),
      legRow({ SessionId: 'began-before', InitiatedAt: '2026-11-23T23:59:59.999Z' }),
      legRow({ SessionId: 'began-before' }),
      legRow({ SessionId: 'after', InitiatedAt: '2026-11-25T00:00:00.000Z' }),
      legRow({ SessionId: 'turns-out', InitiatedAt: '2026-11-25T00:00:01.000Z' }),
      legRow({ SessionId: 'turns-out', InitiatedAt: '2026-11-24T23:59:59.000Z' }),
    ];
    const lookUp: ComparisonOptions['lookUp'] = async (ids) => {
      lookedUp.push(...ids);
      return new Map(ids.map((id) => [id, delivered()]));
    };

    await comparisonOf(rows, {}, { lookUp });

    expect(lookedUp).toEqual(['began-before', 'turns-out']);
  });

  it('shows the status of the leg that ended last as the status of the export', async () => {
    const rows = [
      legRow({ SessionStatus: 'BUSY', DisconnectedAt: '2026-11-24T08:00:30.000Z' }),
      legRow({ SessionStatus: 'COMPLETED', DisconnectedAt: '2026-11-24T08:00:20.000Z' }),
    ];

    for (const each of [rows, rows.toReversed()])
      expect(await comparisonOf(each, { session: delivered('FAILED') })).toMatchObject({
        differingSessions: [{ exported: 'BUSY', recorded: 'FAILED' }],
      });
  });

  it('rejects if the table cannot be read', async () => {
    const lookUp = () => Promise.reject(new Error('throttled'));

    await expect(comparisonOf([legRow()], {}, { lookUp })).rejects.toThrow('throttled');
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
  return stored.reconstruction ? 'reconstructed' : 'delivered';
}
