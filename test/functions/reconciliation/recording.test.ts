import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import { reconstruct } from '../../../functions/reconciliation/recording.ts';
import { example, summaryOf } from '../summaries.ts';
import { legRow } from './leg-rows.ts';

function summary(legs: readonly LegRow[], sessionId = 'session') {
  return summaryOf(reconstruct(sessionId, 'acme', legs) ?? '');
}

describe('a reconstructed summary', () => {
  it('has what the rows have, in the form of a delivery', () => {
    const second = legRow({
      CallId: 'second',
      InitiatedAt: '2026-11-24T08:00:03.000Z',
      DisconnectedAt: '2026-11-24T08:01:00.000Z',
    });
    const first = legRow({ CallId: 'first', Direction: 'INBOUND', MOS: '4.5' }, ['ConnectedAt']);

    expect(summary([second, first])).toMatchObject({
      sessionId: 'session',
      subAccountId: 'acme',
      sessionStatus: 'COMPLETED',
      startTime: '2026-11-24T08:00:00.000Z',
      endTime: '2026-11-24T08:01:00.000Z',
      callCount: 2,
      unrecognised: undefined,
      legs: [
        { leg: 'callA', callId: 'first', callDirection: 'INBOUND', callQuality: { mos: 4.5 } },
        {
          leg: 'callB',
          callId: 'second',
          source: '+6500000001',
          destination: '+6500000002',
          callDuration: 10,
        },
      ],
    });
  });

  it('does not guess the countries, the action, the error or the formats', () => {
    const { legs, lastAction, errorDetails } = summary([
      legRow({ SourceCountryCode: '65', SourceCountry: 'Singapore', DestinationCountryCode: '702' }),
    ]);

    expect(Object.keys(legs[0] ?? {}).filter((name) => /country|format|refid/i.test(name))).toEqual([]);
    expect([lastAction, errorDetails]).toEqual([undefined, undefined]);
  });

  it('equals the delivered summary in everything that the export has', () => {
    const delivered = summaryOf(example('ivr-busy'));
    const rows = delivered.legs.map((leg) => {
      const { callQuality: { mos } = {} } = leg;
      const columns = {
        SessionId: delivered.sessionId,
        CallId: `${leg.callId}`,
        Direction: `${leg.callDirection}`,
        InitiatedAt: `${leg.initiatedTimestamp}`,
        DisconnectedAt: `${leg.disconnectedTimestamp}`,
        DurationInSec: `${leg.callDuration}`,
        SourceEndpoint: `${leg.source}`,
        DestinationEndpoint: `${leg.destination}`,
        SessionStatus: `${delivered.sessionStatus}`,
        CallStatus: `${leg.callStatus}`,
        ...(leg.connectedTimestamp !== undefined && { ConnectedAt: leg.connectedTimestamp }),
        ...(mos !== undefined && { MOS: String(mos) }),
      };
      return legRow(columns, leg.connectedTimestamp === undefined ? ['ConnectedAt'] : []);
    });

    const { legs, digest: _, ...reconstructed } = summary(rows, delivered.sessionId);

    expect(delivered).toMatchObject({ ...reconstructed, subAccountId: '8x8_test', version: 5 });
    for (const [i, leg] of legs.entries()) expect(delivered.legs[i]).toMatchObject(leg);
  });

  it('does not depend on the order of the legs', () => {
    const leg = fc.record({ second: fc.integer({ min: 10, max: 59 }), status: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(leg, { minLength: 1, maxLength: 6 }), fc.gen(), (picks, gen) => {
        const legs = picks.map(({ second, status }) =>
          legRow({ DisconnectedAt: `2026-11-24T08:00:${second}.000Z`, SessionStatus: `STATUS_${status}` }),
        );
        const shuffled = gen(fc.shuffledSubarray, legs, { minLength: legs.length });

        expect(reconstruct('session', 'acme', shuffled)).toBe(reconstruct('session', 'acme', legs));
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 50) },
    );
  });

  it('has the status of the leg that ended last, if they differ', () => {
    const rows = [
      legRow({ SessionStatus: 'BUSY', DisconnectedAt: '2026-11-24T08:00:20.000Z' }),
      legRow({ SessionStatus: 'COMPLETED' }),
      legRow({ DisconnectedAt: '2026-11-24T08:00:30.000Z' }, ['SessionStatus']),
    ];

    expect(summary(rows).sessionStatus).toBe('BUSY');
  });

  it('has no end if that of a leg is unknown', () => {
    expect(summary([legRow(), legRow({}, ['DisconnectedAt'])]).endTime).toBeUndefined();
  });

  it('does not end before its start', () => {
    const leg = legRow({ DisconnectedAt: '2026-11-24T07:00:00.000Z' });

    expect(summary([leg]).endTime).toBe('2026-11-24T08:00:00.000Z');
  });

  it('of 26 legs names the last one callZ', () => {
    const rows = Array.from({ length: 26 }, (_, i) =>
      legRow({ InitiatedAt: `2026-11-24T07:00:00.${String(i).padStart(3, '0')}Z` }),
    );

    const { legs, callCount } = summary(rows);

    expect([legs.length, callCount]).toEqual([26, 26]);
    expect(legs.find(({ callId }) => callId === rows.at(-1)?.CallId)?.leg).toBe('callZ');
  });

  it('is not made of more than a hundred legs', () => {
    expect(
      reconstruct(
        'session',
        'acme',
        Array.from({ length: 101 }, () => legRow()),
      ),
    ).toBeUndefined();
  });
});
