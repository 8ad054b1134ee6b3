import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { LIMIT } from '../../../functions/reconciliation/window.ts';
import { csvOf, legRow } from './leg-rows.ts';
import { Simulation } from './simulation.ts';

const RESULT = 'reconciliation/results/2026-11-24/acme.json';

/** 8x8 had these sessions on 24 November; those named `lost-…` were not delivered. */
function simulationOf(
  sessionIds: readonly string[],
  options: ConstructorParameters<typeof Simulation>[0] = {},
) {
  const simulation = new Simulation(options);
  simulation.rows.set(
    'acme',
    sessionIds.flatMap((SessionId) => [legRow({ SessionId }), legRow({ SessionId, Direction: 'INBOUND' })]),
  );
  for (const id of sessionIds) if (!id.startsWith('lost')) simulation.deliver(id);
  return simulation;
}

const window = (options: object = {}) => ({
  window: {
    from: '2026-11-24',
    to: '2026-11-24',
    mode: 'record',
    subAccountId: 'acme',
    ...options,
  },
});

const resultOf = (simulation: Simulation) => simulation.result();

describe('a scheduled invocation', () => {
  it('records the missing sessions of the day before, and keeps its rows', async () => {
    const simulation = simulationOf(['lost-1', 'delivered', 'lost-2']);

    const progress = await simulation.invoke({});

    expect(progress).toMatchObject([
      {
        subAccountId: 'acme',
        day: '2026-11-24',
        state: 'done',
        result: { missing: 2, recorded: 2 },
      },
    ]);
    expect(simulation.telemetry.counted).toEqual({
      ExportedSessions: 3,
      MissedSessions: 2,
      DifferingSessions: 0,
      RefusedRows: 0,
      ReconciliationOverdue: 0,
      ReconciliationHeld: 0,
    });
    expect(resultOf(simulation)).toMatchObject({
      subAccountId: 'acme',
      day: '2026-11-24',
      mode: 'record',
      rows: 6,
      sessions: 3,
      matched: 1,
      missing: 2,
      recorded: 2,
      missingSessions: ['lost-1', 'lost-2'],
    });
    expect(simulation.charges()).toEqual(simulation.rows.get('acme'));
    for (const { MessageAttributes } of simulation.queue)
      expect(MessageAttributes).toMatchObject({
        reconstructedFrom: { StringValue: 'log-export' },
        // When the export was started: what 8x8 knew then.
        receivedAt: { StringValue: '2026-11-25T06:30:00.000Z' },
      });
    expect(simulation.record()).toEqual(['lost-1', 'lost-2']);
  });

  it('does nothing until the next run is due, and then finds what is recorded', async () => {
    const simulation = simulationOf(['lost-1', 'delivered']);
    await simulation.invoke({});
    simulation.record();
    simulation.calls.length = 0;

    simulation.sleep(3_600_000);
    expect(await simulation.invoke({})).toEqual([]);
    expect(simulation.calls.filter((call) => !call.startsWith('read'))).toEqual([]);

    simulation.sleepUntil('2026-11-27T06:30:00Z');
    await simulation.invoke({});
    expect(resultOf(simulation)).toMatchObject({
      matched: 2,
      reconstructed: 1,
      missing: 0,
      recorded: 0,
      updated: 0,
      reconstructedSessions: ['lost-1'],
    });
    expect(simulation.queue).toEqual([]);
  });

  it('records a session again if the export has more of its rows than before', async () => {
    const simulation = simulationOf(['lost-1']);
    await simulation.invoke({});
    simulation.record();
    const rows = simulation.rows.get('acme') ?? [];
    simulation.rows.set('acme', [...rows, legRow({ SessionId: 'lost-1', CallId: 'late' })]);

    simulation.sleepUntil('2026-11-27T06:30:00Z');
    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({ missing: 0, recorded: 0, updated: 1 });
    expect(JSON.parse(simulation.queue[0]?.MessageBody ?? '').payload.callCount).toBe(3);
  });

  it('keeps each leg in the day on which it was initiated', async () => {
    const simulation = simulationOf([]);
    const [before, after, next] = [
      '2026-11-23T23:00:00.000Z',
      '2026-11-24T00:00:00.000Z',
      '2026-11-25T01:00:00.000Z',
    ].map((InitiatedAt) => legRow({ InitiatedAt }));
    simulation.rows.set(
      'acme',
      [before, after, next].flatMap((row) => row ?? []),
    );

    await simulation.invoke({});

    expect(simulation.charges()).toEqual([after]);
  });

  it('only reports if the stage says so', async () => {
    const simulation = simulationOf(['lost-1'], { mode: 'report' });

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'done', result: { missing: 1, recorded: 0 } },
    ]);

    expect(simulation.queue).toEqual([]);
    expect(simulation.telemetry.counted).toMatchObject({ MissedSessions: 1 });
    expect(resultOf(simulation)).toMatchObject({ mode: 'report', missingSessions: ['lost-1'] });
  });

  it('counts no session as missing that waits in the dead-letter queue', async () => {
    const simulation = simulationOf(['lost-1', 'lost-2']);
    simulation.deadLetters = new Set(['acme lost-1']);

    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({ missing: 1, deadLettered: 1, missingSessions: ['lost-2'] });
    expect(simulation.record()).toEqual(['lost-2']);
  });

  it('waits while deliveries older than an hour wait in the queue', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.queueAge = 3_601;

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'waiting', detail: expect.stringContaining('60 minutes') },
    ]);
    expect(simulation.queue).toEqual([]);
    expect(simulation.calls.filter((call) => call.startsWith('poll')).length).toBeLessThan(15);

    simulation.queueAge = 3_600;
    simulation.sleep(3_600_000);
    expect(await simulation.invoke({})).toMatchObject([{ state: 'done' }]);
    expect(simulation.calls.filter((call) => call.startsWith('start'))).toEqual(['start acme']);
  });

  it('starts with the day after a sub-account was first seen', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.stored.clear();

    expect(await simulation.invoke({})).toEqual([]);
    simulation.sleepUntil('2026-11-26T06:30:00Z');
    expect(await simulation.invoke({})).toEqual([]);
    simulation.sleepUntil('2026-11-27T06:30:00Z');
    expect(await simulation.invoke({})).toMatchObject([{ day: '2026-11-26' }]);
  });

  it('keeps what is stored of a day if the export is empty', async () => {
    const simulation = simulationOf(['delivered']);
    await simulation.invoke({});
    simulation.answer = () => ({ state: 'succeeded', links: [] });

    simulation.sleepUntil('2026-11-27T06:30:00Z');
    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({ rows: 0, sessions: 0 });
    expect(simulation.charges().length).toBe(2);
  });

  it('reconciles a day whose stored state is not valid', async () => {
    const simulation = simulationOf([]);
    simulation.stored.set('reconciliation/state/acme/2026-11-24.json', JSON.stringify({ failures: 'many' }));

    await simulation.invoke({});

    expect(simulation.state()).toMatchObject({ failures: 0, completed: { mode: 'record' } });
  });

  it('goes on with the other days if one cannot be reconciled, and retries it later', async () => {
    const simulation = new Simulation({ subAccountIds: ['refused', 'acme'] });
    simulation.rows.set('acme', [legRow({ SessionId: 'lost-1' })]);
    simulation.before = (call) => {
      if (call === 'start refused') throw new LogExportError('access-refused', 'The key has no access.');
    };

    expect(await simulation.invoke({})).toMatchObject([
      { subAccountId: 'refused', state: 'failed', detail: 'The key has no access.' },
      { subAccountId: 'acme', state: 'done' },
    ]);
    expect(simulation.telemetry.logged).toEqual([
      {
        level: 'error',
        message: 'A day could not be reconciled with the log export',
        details: [
          {
            subAccountId: 'refused',
            day: '2026-11-24',
            kind: 'access-refused',
            detail: 'The key has no access.',
          },
        ],
      },
      {
        level: 'warn',
        message: 'The log export has sessions that were not delivered, or unreadable rows',
        details: [{ subAccountId: 'acme', day: '2026-11-24', missing: 1, foreign: 0, refusedRows: 0 }],
      },
    ]);

    simulation.sleep(10 * 60_000);
    expect(await simulation.invoke({})).toEqual([]);
    simulation.before = () => {};
    simulation.sleep(50 * 60_000);
    expect(await simulation.invoke({})).toMatchObject([{ subAccountId: 'refused', state: 'done' }]);
  });

  it('counts days that are overdue for a day', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.before = (call) => {
      if (call.startsWith('start')) throw new LogExportError('key-refused', 'no');
    };

    await simulation.invoke({});
    expect(simulation.telemetry.counted).toMatchObject({ ReconciliationOverdue: 0 });
    simulation.sleepUntil('2026-11-26T06:30:00Z');
    await simulation.invoke({});
    expect(simulation.telemetry.counted).toMatchObject({ ReconciliationOverdue: 1 });
  });

  it('measures what is overdue although the API key cannot be read', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.connectionFailure = new Error('no such secret');
    simulation.sleepUntil('2026-11-26T07:00:00Z');

    await expect(simulation.invoke({})).rejects.toThrow('no such secret');
    expect(simulation.telemetry.published.at(-1)).toMatchObject({ ReconciliationOverdue: 1 });
  });
});

describe('a job', () => {
  it.each(['cut-off', 'stalled', 'unavailable'] as const)(
    'is read again at once after the fault %s',
    async (kind) => {
      const simulation = simulationOf(['lost-1']);
      let faults = 2;
      simulation.before = (call) => {
        if (call === 'download' && faults-- > 0) throw new LogExportError(kind, 'a fault');
      };

      expect(await simulation.invoke({})).toMatchObject([{ state: 'done', result: { missing: 1 } }]);
      expect(simulation.calls.filter((call) => call.startsWith('start'))).toEqual(['start acme']);
      expect(simulation.queue.length).toBe(1);
    },
  );

  it.each(['job-failed', 'job-unknown'] as const)(
    'that has the fault %s is replaced by another',
    async (kind) => {
      const simulation = simulationOf(['lost-1']);
      let faults = 1;
      simulation.answer = () => {
        if (faults-- > 0) throw new LogExportError(kind, 'a fault');
        return undefined;
      };

      expect(await simulation.invoke({})).toMatchObject([{ state: 'done' }]);
      expect(simulation.calls.filter((call) => /^(start|poll)/.test(call))).toEqual([
        'start acme',
        'poll job-1',
        'start acme',
        'poll job-2',
        'poll job-2',
      ]);
    },
  );

  it('fails after three attempts', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.answer = () => {
      throw new LogExportError('job-failed', '8x8 reports the status error');
    };

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'failed', detail: '8x8 reports the status error' },
    ]);
    expect(simulation.telemetry.logged).toMatchObject([
      { level: 'error', details: [{ kind: 'job-failed' }] },
    ]);
    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(3);
  });

  it('that never ends is polled with increasing delays, also in the next invocation, and is replaced', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.answer = () => ({ state: 'pending', status: 'running' });

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'waiting', detail: '8x8 is making the export (running)' },
    ]);
    const polls = simulation.calls.filter((call) => call.startsWith('poll')).length;
    expect(polls).toBeGreaterThan(5);
    expect(polls).toBeLessThan(15);

    simulation.sleep(3_600_000);
    expect(await simulation.invoke({})).toMatchObject([{ state: 'waiting' }]);
    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(1);
    simulation.sleep(3_600_000);
    await simulation.invoke({});
    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(2);
  });

  it('whose file is damaged three times is replaced by another', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.before = (call) => {
      if (call === 'download') throw new LogExportError('cut-off', 'damaged');
    };

    expect(await simulation.invoke({})).toMatchObject([{ state: 'failed', detail: 'damaged' }]);
    simulation.before = () => {};
    simulation.sleep(3_600_000);
    expect(await simulation.invoke({})).toMatchObject([{ state: 'done' }]);

    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(2);
    expect(simulation.state()).toMatchObject({ failures: 0 });
  });

  it('is started first for the day that is due for longest', async () => {
    const simulation = new Simulation({ subAccountIds: ['later', 'earlier'] });
    // It has had its first run, so that its second is due two days later than that of the other.
    const completed = { at: '2026-11-25T07:00:00.000Z', mode: 'record', isHeld: false };
    simulation.stored.set(
      'reconciliation/state/later/2026-11-24.json',
      JSON.stringify({ failures: 0, completed }),
    );
    for (const day of ['25', '26'])
      for (const id of ['later', 'earlier'])
        simulation.stored.set(
          `reconciliation/state/${id}/2026-11-${day}.json`,
          JSON.stringify({ failures: 0, completed: { ...completed, at: '2026-11-28T00:00:00.000Z' } }),
        );
    simulation.sleepUntil('2026-11-27T07:00:00Z');

    await simulation.invoke({});

    expect(simulation.calls.filter((call) => call.startsWith('start'))).toEqual([
      'start earlier',
      'start later',
    ]);
  });

  it('is started for every day that is due, up to a hundred at a time', async () => {
    const subAccountIds = Array.from({ length: 120 }, (_, i) => `account-${i}`);
    const simulation = new Simulation({ subAccountIds });
    simulation.answer = () => ({ state: 'pending', status: 'queued' });

    await simulation.invoke({});
    const startsOf = () => simulation.calls.filter((call) => call.startsWith('start'));
    expect(startsOf()).toEqual(subAccountIds.slice(0, 100).map((id) => `start ${id}`));

    simulation.answer = () => ({ state: 'succeeded', links: [] });
    simulation.sleep(3_600_000);
    expect((await simulation.invoke({})).map(({ state }) => state)).toEqual(subAccountIds.map(() => 'done'));
  });
});

describe('a file that is not complete or not readable', () => {
  it.each([
    ['is cut off within a row', (csv: string) => csv.slice(0, -20)],
    ['has no header', (csv: string) => csv.split('\n').slice(1).join('\n')],
    ['is not CSV', () => '<html>Maintenance</html>'],
  ])('changes nothing if it %s', async (_, damage) => {
    const simulation = simulationOf(['lost-1']);
    simulation.files = (rows) => [damage(csvOf(rows))];

    expect(await simulation.invoke({})).toMatchObject([{ state: 'failed' }]);

    expect(simulation.queue).toEqual([]);
    expect(simulation.charges()).toEqual([]);
    expect(simulation.telemetry.counted).not.toHaveProperty('MissedSessions');
  });

  it('is reconciled without the rows that cannot be read, which are counted', async () => {
    const simulation = simulationOf(['lost-1', 'lost-2']);
    simulation.files = (rows) => [csvOf(rows).replaceAll('"lost-2"', '""')];

    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({
      rows: 2,
      refusedRows: 2,
      missing: 1,
      refused: [
        { file: 1, row: 4, reason: 'it has no SessionId' },
        { file: 1, row: 5, reason: 'it has no SessionId' },
      ],
    });
    expect(simulation.telemetry.counted).toMatchObject({ RefusedRows: 2 });
  });
});

describe('a crash', () => {
  /** Invokes the function once an hour, and kills it at the nth thing that it does outside of itself. */
  async function reconcileWithCrashes(crashes: readonly number[]) {
    const simulation = simulationOf(['lost-1', 'delivered', 'lost-2', 'lost-3']);
    const found: string[] = [];
    const left = [...crashes];
    for (let hour = 0; hour < 60; hour++) {
      let budget = left.shift() ?? Number.POSITIVE_INFINITY;
      simulation.before = () => {
        if (budget-- <= 0) throw new Killed();
      };
      await simulation.invoke({}).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      found.push(...simulation.record());
      simulation.sleep(3_600_000);
    }
    return { simulation, found };
  }

  it('at any point loses no session, and repeats at most one step', async () => {
    const startsOf = ({ calls }: Simulation) => calls.filter((call) => call.startsWith('start')).length;
    const undisturbed = await reconcileWithCrashes([]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(25), { maxLength: 4 }), async (crashes) => {
        const { simulation, found } = await reconcileWithCrashes(crashes);

        expect([...new Set(found)].sort()).toEqual(['lost-1', 'lost-2', 'lost-3']);
        expect(resultOf(simulation)).toMatchObject({ sessions: 4, matched: 4, missing: 0, reconstructed: 3 });
        expect(simulation.charges().length).toBe(8);
        expect(simulation.telemetry.counted['MissedSessions']).toBeGreaterThanOrEqual(3);
        expect(startsOf(simulation)).toBeLessThanOrEqual(startsOf(undisturbed.simulation) + crashes.length);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25) },
    );
  });
});

describe('more missing sessions than the limit', () => {
  it('hold the day until they are recorded beyond the limit, in rounds', async () => {
    const sessionIds = Array.from({ length: LIMIT + 5 }, (_, i) => `lost-${i}`);
    const simulation = new Simulation();
    simulation.rows.set(
      'acme',
      sessionIds.map((SessionId) => legRow({ SessionId })),
    );

    const missing = LIMIT + 5;
    expect(await simulation.invoke({})).toMatchObject([{ state: 'held', result: { missing, recorded: 0 } }]);
    expect(simulation.queue).toEqual([]);
    expect(simulation.charges().length).toBe(missing);
    expect(simulation.telemetry.counted).toMatchObject({ ReconciliationHeld: 1, MissedSessions: missing });
    expect(simulation.telemetry.logged).toContainEqual({
      level: 'warn',
      message: 'A day is held until a person decides',
      details: [expect.objectContaining({ subAccountId: 'acme', day: '2026-11-24' })],
    });
    expect(await simulation.invoke(window())).toMatchObject([
      { state: 'held', detail: expect.stringContaining('More than 10,000 sessions are missing') },
    ]);

    simulation.before = (call) => {
      // Each round takes longer than rounds are begun, and so is the last of its invocation.
      if (call === 'send' && simulation.queue.length === 0) simulation.sleep(10 * 60_000);
    };
    expect(await simulation.invoke(window({ beyondLimit: true }))).toMatchObject([
      { state: 'waiting', detail: '10000 missing sessions were recorded; 5 sessions are left' },
    ]);
    const first = simulation.record();
    expect(await simulation.invoke(window({ beyondLimit: true }))).toMatchObject([
      { state: 'done', result: { missing: 5, recorded: 5, reconstructed: LIMIT, unchecked: 5 } },
    ]);
    expect([...first, ...simulation.record()].toSorted()).toEqual(sessionIds.toSorted());
    simulation.before = () => {};
    await simulation.invoke({});
    expect(simulation.telemetry.published.at(-1)).toMatchObject({ ReconciliationHeld: 1 });
  });
});

describe('a window', () => {
  it('is reconciled for each day of a sub-account, without metrics', async () => {
    const simulation = new Simulation({ subAccountIds: ['acme', 'other'] });
    simulation.rows.set('other', [
      legRow({ SessionId: 'lost-1', SubAccountId: 'other', InitiatedAt: '2026-11-10T08:00:00.000Z' }, [
        'ConnectedAt',
        'DisconnectedAt',
      ]),
    ]);
    const requested = window({ subAccountId: 'other', from: '2026-11-09', to: '2026-11-10' });

    const progress = await simulation.invoke(requested);

    expect(progress.map(({ subAccountId, day, result }) => [subAccountId, day, result?.recorded])).toEqual([
      ['other', '2026-11-09', 0],
      ['other', '2026-11-10', 1],
    ]);
    expect(simulation.telemetry.published).toEqual([]);
  });

  it('resumes where it stopped, and shows what was found on days that are done', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.answer = (polls) => (polls < 9 ? { state: 'pending', status: 'running' } : undefined);

    expect(await simulation.invoke(window())).toMatchObject([{ state: 'waiting' }]);
    expect(await simulation.invoke(window())).toMatchObject([{ state: 'done', result: { recorded: 1 } }]);
    const calls = simulation.calls.length;
    expect(await simulation.invoke(window())).toMatchObject([
      { state: 'done', result: { recorded: 1, missingSessions: ['lost-1'] } },
    ]);
    expect(simulation.calls.slice(calls)).toEqual([
      'read reconciliation/state/acme/2026-11-24.json',
      'read reconciliation/results/2026-11-24/acme.json',
    ]);

    simulation.sleep(12 * 3_600_000);
    simulation.answer = () => undefined;
    simulation.record();
    expect(await simulation.invoke(window())).toMatchObject([
      { result: { missing: 0, reconstructedSessions: ['lost-1'] } },
    ]);
    const starts = () => simulation.calls.filter((call) => call.startsWith('start')).length;
    const before = starts();
    await simulation.invoke(window());
    expect(starts()).toBe(before);
    await simulation.invoke(window({ again: true }));
    expect(starts()).toBe(before + 1);
  });

  it('leaves out the days that have ended in the same command', async () => {
    const simulation = simulationOf([]);

    expect(
      (await simulation.invoke(window({ to: '2026-11-25', skipped: ['2026-11-24'] }))).map(({ day }) => day),
    ).toEqual(['2026-11-25']);
  });

  it('begins with the days that have failed less often', async () => {
    const simulation = simulationOf([]);
    simulation.stored.set('reconciliation/state/acme/2026-11-23.json', JSON.stringify({ failures: 1 }));

    await simulation.invoke(window({ from: '2026-11-23', to: '2026-11-24' }));

    const written = simulation.calls.filter((call) => call.startsWith('write reconciliation/results'));
    expect(written.map((call) => call.slice(29, 39))).toEqual(['2026-11-24', '2026-11-23']);
  });

  it('that was only reported can then be recorded', async () => {
    const simulation = simulationOf(['lost-1']);

    await simulation.invoke(window({ mode: 'report' }));
    expect(simulation.queue).toEqual([]);
    await simulation.invoke(window());
    expect(simulation.record()).toEqual(['lost-1']);
  });

  it('that was only reported is still recorded by the schedule', async () => {
    const simulation = simulationOf(['lost-1']);

    await simulation.invoke(window({ mode: 'report' }));
    await simulation.invoke({});

    expect(simulation.record()).toEqual(['lost-1']);
    expect(simulation.telemetry.counted).toMatchObject({ MissedSessions: 1 });
  });

  it('that is reported after it was recorded does not undo that', async () => {
    const simulation = simulationOf(['lost-1']);
    await simulation.invoke(window());
    simulation.record();

    expect(await simulation.invoke(window({ mode: 'report', again: true }))).toMatchObject([
      { state: 'done', result: { missing: 0, reconstructed: 1 } },
    ]);

    simulation.sleep(60_000);
    expect(await simulation.invoke({})).toEqual([]);
    expect(simulation.state()).toMatchObject({ completed: { mode: 'record' } });
  });

  it('of a day that is not over is reconciled again each time', async () => {
    const simulation = simulationOf([]);
    const today = window({ from: '2026-11-25', to: '2026-11-25' });

    await simulation.invoke(today);
    await simulation.invoke(today);

    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(2);
  });

  it('starts another export if the last one is older than three hours', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.before = (call) => {
      if (call === 'download') throw new LogExportError('key-refused', 'no');
    };
    await simulation.invoke(window());
    simulation.before = () => {};

    simulation.sleep(3 * 3_600_000);
    await simulation.invoke(window());

    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(2);
  });

  it('does not wait for the time of a retry', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.before = (call) => {
      if (call.startsWith('start')) throw new LogExportError('key-refused', 'no');
    };
    expect(await simulation.invoke(window())).toMatchObject([{ state: 'failed', detail: 'no' }]);
    simulation.before = () => {};
    expect(await simulation.invoke(window())).toMatchObject([{ state: 'done' }]);
  });

  it('stops when its time is up, and takes no further step', async () => {
    const simulation = new Simulation();
    simulation.before = (call) => {
      if (call.startsWith('start')) simulation.sleep(30_000);
    };

    await simulation.invoke(window({ from: '2026-11-01', to: '2026-11-10' }));

    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(2);
  });

  it.each([
    [{ from: '2026-11-25' }, 'expected a first day that is not after the last'],
    [{ from: '2024-11-25' }, 'expected at most 366 days'],
    [{ from: '24.11.2026' }, 'expected a day such as 2026-11-24'],
    [{ from: '2026-02-30', to: '2026-03-01' }, 'expected a day of the calendar'],
    [{ subAccountId: 'foreign' }, 'foreign is not a sub-account of this stage: acme'],
  ])('with %j is rejected', async (options, message) => {
    await expect(simulationOf([]).invoke(window(options))).rejects.toThrow(message);
  });

  it('with very many results is shortened, so that Lambda can return it', async () => {
    const simulation = simulationOf(Array.from({ length: 1_500 }, (_, i) => `lost-${i}`));

    const [day] = await simulation.invoke(window());

    expect(day?.result?.missingSessions.length).toBe(20);
    expect(v.parse(v.array(v.string()), resultOf(simulation)['missingSessions']).length).toBe(1_000);
  });
});

describe('a session that cannot be reconstructed', () => {
  it('is counted, and does not keep others from being recorded', async () => {
    const simulation = simulationOf(['lost-1']);
    const legs = Array.from({ length: 27 }, () => legRow({ SessionId: 'lost-2' }));
    simulation.rows.set('acme', [...legs, ...(simulation.rows.get('acme') ?? [])]);

    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({ missing: 2, recorded: 1, unusable: 1 });
    expect(simulation.record()).toEqual(['lost-1']);
  });

  it('is counted with its rows as refused, if these are in another year', async () => {
    const simulation = simulationOf([]);
    simulation.files = () => [csvOf([legRow({ InitiatedAt: '2019-11-24T08:00:00.000Z' })])];
    simulation.rows.set('acme', [legRow()]);

    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({
      sessions: 0,
      refusedRows: 1,
      refused: [{ reason: 'its InitiatedAt is outside the requested period' }],
    });
    expect(simulation.telemetry.counted).toMatchObject({ RefusedRows: 1 });
  });
});

it('an export that is too large holds the day with the reason, and is not downloaded again at once', async () => {
  const simulation = simulationOf(['lost-1']);
  simulation.before = (call) => {
    if (call === 'download') throw new LogExportError('too-large', 'The files have more than 8 GB.');
  };

  const held = { state: 'held', detail: 'The files have more than 8 GB.', result: { missing: 0 } };
  expect(await simulation.invoke({})).toMatchObject([held]);
  simulation.sleep(3_600_000);
  expect(await simulation.invoke({})).toEqual([]);
  expect(await simulation.invoke(window())).toMatchObject([held]);
  expect(simulation.telemetry.counted).toMatchObject({ ReconciliationHeld: 2 });
});

describe('the dead-letter queue', () => {
  it('is waited for while another reader hides messages', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.deadLetters = undefined;

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'waiting', detail: expect.stringContaining('dead-letter queue is being read') },
    ]);
    expect(simulation.queue).toEqual([]);
  });
});

describe('a day that kills the function', () => {
  it('does not delay other days', async () => {
    const simulation = new Simulation({ subAccountIds: ['deadly', 'acme'] });
    simulation.rows.set('deadly', [legRow({ SessionId: 'a', SubAccountId: 'deadly' })]);
    simulation.rows.set('acme', [legRow({ SessionId: 'lost-1' })]);
    let isKilled = false;
    simulation.before = (call) => {
      if (isKilled) throw new Killed();
      if (call === 'download' && !simulation.stored.has(RESULT)) {
        isKilled = true;
        throw new Killed();
      }
    };
    await expect(simulation.invoke({})).rejects.toThrow(Killed);

    simulation.before = () => {};
    // The retries of Lambda come within minutes.
    simulation.sleep(60_000);
    await simulation.invoke({});

    expect(simulation.stored.has(RESULT)).toBe(true);
    expect(simulation.record()).toEqual(['lost-1']);
    expect(simulation.state('deadly')).toMatchObject({ failures: 1 });
  });
});

class Killed extends Error {
  override name = 'Killed';
}
