import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { LIMIT } from '../../../functions/reconciliation/reconcile-day.ts';
import type { RecordedSession } from '../../../functions/reconciliation/recorded-sessions.ts';
import { csvOf, legRow } from './leg-rows.ts';
import { Simulation } from './simulation.ts';

const delivered: RecordedSession = { status: 'COMPLETED', reconstructedDigest: undefined };
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
  for (const id of sessionIds) if (!id.startsWith('lost')) simulation.table.set(id, delivered);
  return simulation;
}

const window = (options: object = {}) => ({
  window: { from: '2026-11-24', to: '2026-11-24', notBefore: '2026-11-25T06:00:00.000Z', ...options },
});

function resultOf(simulation: Simulation) {
  return JSON.parse(simulation.stored.get(RESULT) ?? '{}');
}

describe('a scheduled invocation', () => {
  it('records the missing sessions of the day before, and keeps its rows', async () => {
    const simulation = simulationOf(['lost-1', 'delivered', 'lost-2']);

    const progress = await simulation.invoke({});

    expect(progress).toMatchObject([
      {
        subAccountId: 'acme',
        day: '2026-11-24',
        state: 'done',
        counts: { missing: 2 },
        result: { recorded: 2 },
      },
    ]);
    expect(simulation.telemetry.counted).toEqual({
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
      { state: 'done', counts: { missing: 1, recorded: 0 } },
    ]);

    expect(simulation.queue).toEqual([]);
    expect(simulation.telemetry.counted).toMatchObject({ MissedSessions: 1 });
    expect(resultOf(simulation)).toMatchObject({ mode: 'report', missingSessions: ['lost-1'] });
  });

  it('counts no session as missing that waits in the dead-letter queue', async () => {
    const simulation = simulationOf(['lost-1', 'lost-2']);
    simulation.deadLetters.add('lost-1');

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
    simulation.answer = () => ({ state: 'empty' });

    simulation.sleepUntil('2026-11-27T06:30:00Z');
    await simulation.invoke({});

    expect(resultOf(simulation)).toMatchObject({ rows: 0, sessions: 0 });
    expect(simulation.charges().length).toBe(2);
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

      expect(await simulation.invoke({})).toMatchObject([{ state: 'done', counts: { missing: 1 } }]);
      expect(simulation.calls.filter((call) => call.startsWith('start'))).toEqual(['start acme']);
      expect(simulation.queue.length).toBe(1);
    },
  );

  it.each([{ state: 'failed', reason: 'failed' }, { state: 'gone' }] as const)(
    'that is $state is replaced by another',
    async (answer) => {
      const simulation = simulationOf(['lost-1']);
      let faults = 1;
      simulation.answer = () => (faults-- > 0 ? answer : undefined);

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

  it('is given up for this time after three failures', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.answer = () => ({ state: 'failed', reason: '8x8 reports the status error' });

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'failed', detail: '8x8 reports the status error' },
    ]);
    expect(simulation.calls.filter((call) => call.startsWith('start')).length).toBe(3);
  });

  it('that never ends is polled ever more seldom, goes on in the next invocation, and is cancelled', async () => {
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
    expect(simulation.calls.filter((call) => /^(start|cancel)/.test(call))).toEqual([
      'start acme',
      'cancel job-1',
      'start acme',
    ]);
  });

  it('has at most ten others beside it', async () => {
    const subAccountIds = Array.from({ length: 25 }, (_, i) => `account-${i}`);
    const simulation = new Simulation({ subAccountIds });
    const open = new Set<string>();
    let most = 0;
    simulation.answer = (polls) => (polls < 3 ? { state: 'pending', status: 'queued' } : { state: 'empty' });
    simulation.before = (call) => {
      if (call.startsWith('start')) open.add(call.replace('start ', ''));
      most = Math.max(most, open.size);
      const [, done] = /^write reconciliation\/results\/.*\/(.*)\.json$/.exec(call) ?? [];
      if (done !== undefined) open.delete(done);
    };

    const progress = await simulation.invoke({});

    expect(progress.map(({ state }) => state)).toEqual(subAccountIds.map(() => 'done'));
    expect(most).toBe(10);
  });
});

describe('a file that is not complete or not readable', () => {
  it.each([
    ['is cut off within a row', (csv: string) => csv.slice(0, -20)],
    ['has no header', (csv: string) => csv.split('\n').slice(1).join('\n')],
    ['is not CSV', () => '<html>Maintenance</html>'],
  ])('changes nothing if it %s', async (_, damage) => {
    const simulation = simulationOf(['lost-1']);
    simulation.file = (rows) => damage(csvOf(rows));

    expect(await simulation.invoke({})).toMatchObject([{ state: 'failed' }]);

    expect(simulation.queue).toEqual([]);
    expect(simulation.charges()).toEqual([]);
    expect(simulation.telemetry.counted).not.toHaveProperty('MissedSessions');
  });

  it('is reconciled without the rows that cannot be read, which are counted', async () => {
    const simulation = simulationOf(['lost-1', 'lost-2']);
    simulation.file = (rows) => csvOf(rows).replaceAll('"lost-2"', '""');

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
      { numRuns: 60 },
    );
  });
});

class Killed extends Error {
  override name = 'Killed';
}

describe('more missing sessions than the limit', () => {
  const sessionIds = Array.from({ length: LIMIT + 5 }, (_, i) => `lost-${i}`);

  it('hold the day until a person says so, and then are all recorded', async () => {
    const simulation = simulationOf(sessionIds);

    expect(await simulation.invoke({})).toMatchObject([
      { state: 'held', counts: { missing: LIMIT + 5, recorded: 0 } },
    ]);
    expect(simulation.queue).toEqual([]);
    expect(simulation.telemetry.counted).toMatchObject({ ReconciliationHeld: 1, MissedSessions: LIMIT + 5 });
    expect(await simulation.invoke(window())).toMatchObject([{ state: 'held' }]);

    expect(await simulation.invoke(window({ beyondLimit: true }))).toMatchObject([
      { state: 'done', counts: { missing: LIMIT + 5, recorded: LIMIT + 5 } },
    ]);
    expect(simulation.record().toSorted()).toEqual(sessionIds.toSorted());
    await simulation.invoke({});
    expect(simulation.telemetry.published.at(-1)).toMatchObject({ ReconciliationHeld: 1 });
  });
});

describe('a window', () => {
  it('is reconciled for each day and sub-account, without metrics', async () => {
    const simulation = new Simulation({ subAccountIds: ['acme', 'other'] });
    simulation.rows.set('other', [
      legRow({ SessionId: 'lost-1', SubAccountId: 'other', InitiatedAt: '2026-11-10T08:00:00.000Z' }),
    ]);

    const progress = await simulation.invoke(window({ from: '2026-11-09', to: '2026-11-10' }));

    expect(progress.map(({ subAccountId, day, counts }) => [subAccountId, day, counts?.recorded])).toEqual([
      ['acme', '2026-11-09', 0],
      ['acme', '2026-11-10', 0],
      ['other', '2026-11-09', 0],
      ['other', '2026-11-10', 1],
    ]);
    expect(simulation.telemetry.published).toEqual([]);
  });

  it('goes on where it stopped, and does not repeat days that are done', async () => {
    const simulation = simulationOf(['lost-1']);
    simulation.answer = (polls) => (polls < 8 ? { state: 'pending', status: 'running' } : undefined);

    expect(await simulation.invoke(window())).toMatchObject([{ state: 'waiting' }]);
    expect(await simulation.invoke(window())).toMatchObject([{ state: 'done', result: { recorded: 1 } }]);
    const calls = simulation.calls.length;
    const [done] = await simulation.invoke(window());
    expect(done).toMatchObject({ state: 'done', counts: { recorded: 1 } });
    expect(done).not.toHaveProperty('result');
    expect(simulation.calls.slice(calls)).toEqual(['read reconciliation/state/acme.json']);
  });

  it('that was only reported can then be recorded', async () => {
    const simulation = simulationOf(['lost-1']);

    await simulation.invoke(window({ mode: 'report' }));
    expect(simulation.queue).toEqual([]);
    await simulation.invoke(window());
    expect(simulation.record()).toEqual(['lost-1']);
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

  it.each([
    [{ from: '2026-11-25' }, 'expected a first day that is not after the last'],
    [{ from: '2024-11-25' }, 'expected at most 366 days'],
    [{ from: '24.11.2026' }, 'expected a day such as 2026-11-24'],
    [{ from: '2026-02-30', to: '2026-03-01' }, 'expected a day of the calendar'],
    [{ subAccountIds: ['acme', 'foreign'] }, 'Not a sub-account of this stage: foreign'],
  ])('with %j is rejected', async (options, message) => {
    await expect(simulationOf([]).invoke(window(options))).rejects.toThrow(message);
  });

  it('with very many results is shortened, so that Lambda can return it', async () => {
    const simulation = simulationOf(Array.from({ length: 1_500 }, (_, i) => `lost-${i}`));

    const [day] = await simulation.invoke(window());

    expect(day?.result?.missingSessions.length).toBe(20);
    expect(v.parse(v.array(v.string()), resultOf(simulation).missingSessions).length).toBe(1_000);
  });
});
