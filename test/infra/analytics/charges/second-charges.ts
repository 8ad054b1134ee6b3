import fc from 'fast-check';
import type { ChargeRow } from '../charged.ts';
import { type SIZES, type Stored, tableOf } from '../second-calculation.ts';

/**
 * A second calculation of what calls cost, in TypeScript, that shares no code with the views; and files of charges with
 * missing and odd prices, several currencies, repeated legs, and legs and records that have no counterpart.
 */

export interface ChargeFile {
  day: string;
  subAccountId: string;
  rows: ChargeRow[];
}
export interface Recorded extends Stored {
  reconstructedFrom?: string;
  legs?: (NonNullable<Stored['legs']>[number] & { callId: string })[];
}

const SCALE = 10n ** 12n;

/** What a price may look like, and how much it is in units of 10^-12; undefined if it is not readable. */
const PRICES: readonly (readonly [text: string, units: bigint | undefined])[] = [
  ['0.012', 12_000_000_000n],
  ['0.0165', 16_500_000_000n],
  ['1.5', 1_500_000_000_000n],
  ['0', 0n],
  ['-0.25', -250_000_000_000n],
  ['-0', 0n],
  ['1E-05', 10_000_000n],
  ['0.0000000000005', 1n],
  ['999999999999.999999999999', 10n ** 24n - 1n],
  ['-999999999999', -999_999_999_999n * SCALE],
  ['1000000000000', undefined],
  ['1e99', undefined],
  ['1,5', undefined],
  ['free', undefined],
  ['', undefined],
];
const SECONDS: readonly (readonly [text: string, seconds: number | undefined])[] = [
  ['0', 0],
  ['37', 37],
  ['60', 60],
  ['604800', 604_800],
  ['604801', undefined],
  ['-1', undefined],
  ['long', undefined],
];

const SUB_ACCOUNTS = ['8x8_test', "o'brien"];
const DAYS = ['2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20'];
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const of = (texts: readonly (readonly [text: string, value: unknown])[]) =>
  fc.constantFrom(...texts.map(([text]) => text));

const row = fc.record({
  session: fc.integer({ min: 0, max: 140 }),
  leg: fc.constantFrom('callA', 'callB', 'unrecorded'),
  hour: fc.integer({ min: 0, max: 23 }),
  InitiatedAt: fc.boolean(),
  ConnectedAt: maybe(fc.constant('2026-11-20T10:00:07.000Z')),
  DurationInSec: maybe(of(SECONDS)),
  BillableDurationInSec: maybe(of(SECONDS)),
  DestinationCountry: maybe(fc.constantFrom('Singapore', 'Philippines', "Côte d'Ivoire", '<b>', '')),
  Product: maybe(fc.constantFrom('IVR', 'Voice Messaging')),
  UnitPriceCurrency: maybe(fc.constantFrom('USD', 'usd', ' EUR', 'JPY', '')),
  TotalPriceOfCall: maybe(of(PRICES)),
  SipStatus: maybe(fc.constantFrom('200', '486', '503', '99', '700', 'Busy', '5030')),
  CallStatus: maybe(fc.constantFrom('COMPLETED', 'FAILED', 'ERROR', 'BUSY')),
  isRepeated: fc.boolean(),
});
const file = fc.record({
  day: fc.constantFrom(...DAYS),
  subAccountId: fc.constantFrom(...SUB_ACCOUNTS),
  rows: fc.uniqueArray(row, {
    maxLength: 40,
    size: 'max',
    selector: ({ session, leg }) => `${session} ${leg}`,
  }),
});

/** The files of charges; a leg is in one file of a day only, but perhaps twice in it, and in files of other days. */
const filesOf = (size: keyof typeof SIZES) =>
  fc
    .uniqueArray(file, {
      ...(size === 'few' ? { maxLength: 1 } : { minLength: 4, maxLength: 6 }),
      size: 'max',
      selector: ({ day, subAccountId }) => `${day} ${subAccountId}`,
    })
    .map((all) => {
      const seen = new Set<string>();
      return all.map(({ day, subAccountId, rows }): ChargeFile => {
        const own = rows.filter(({ session, leg }) => !seen.has(`${day} ${session} ${leg}`));
        for (const { session, leg } of own) seen.add(`${day} ${session} ${leg}`);
        return { day, subAccountId, rows: own.flatMap((each) => rowsOf(each, day, subAccountId)) };
      });
    });

function rowsOf(
  {
    session,
    leg,
    hour,
    InitiatedAt,
    isRepeated,
    ...fields
  }: typeof row extends fc.Arbitrary<infer R> ? R : never,
  day: string,
  subAccountId: string,
): ChargeRow[] {
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const written = {
    SessionId: `session-${session}`,
    CallId: `session-${session}-${leg}`,
    SubAccountId: subAccountId,
    ...(InitiatedAt && { InitiatedAt: `${day}T${String(hour).padStart(2, '0')}:30:00.000Z` }),
    ...known,
  };
  return isRepeated ? [written, written] : [written];
}

const recordsOf = (size: keyof typeof SIZES) =>
  fc
    .tuple(tableOf(size), fc.array(fc.boolean(), { minLength: 120, maxLength: 120, size: 'max' }))
    .map(([stored, reconstructed]) =>
      stored.map(
        ({ alternates: _, legs, ...each }, i): Recorded => ({
          ...each,
          ...(legs && {
            legs: legs.map((leg) => ({ ...leg, callId: `${each.sessionId}-${leg.leg}` })),
          }),
          ...(i % 5 === 0 && reconstructed[i] && { reconstructedFrom: 'log-export' }),
        }),
      ),
    );

export const inputOf = (size: keyof typeof SIZES) =>
  fc.record({ records: recordsOf(size), files: filesOf(size) });

/** `-0.250000000000` */
export const decimalText = (units: bigint) => {
  const digits = String(units < 0n ? -units : units).padStart(13, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`;
};

/** Rounds half up, as a report prints an amount or a rate: `−0.25`. */
export function rounded(numerator: bigint, denominator: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const magnitude =
    (2n * (numerator < 0n ? -numerator : numerator) * unit + denominator) / (2n * denominator);
  const text = String(magnitude).padStart(digits + 1, '0');
  return `${numerator < 0n && magnitude > 0n ? '−' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

export function sumOf(units: readonly (bigint | undefined)[]): bigint | undefined {
  const known = units.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0n);
}

/** The legs in the files: each once, as in the file of the newest day. */
export function chargedLegs(written: readonly ChargeFile[], timeZone: string) {
  const newest = new Map<string, { day: string; row: ChargeRow }>();
  for (const { day, rows } of written.toSorted((a, b) => (a.day < b.day ? -1 : 1)))
    for (const each of rows) newest.set(`${each.CallId}`, { day, row: each });
  return [...newest.values()].map(({ day, row: each }) => {
    const currency = each.UnitPriceCurrency?.trim().toUpperCase() || undefined;
    const price = new Map(PRICES).get(each.TotalPriceOfCall ?? '');
    const seconds = new Map(SECONDS);
    const duration = seconds.get(each.DurationInSec ?? '');
    return {
      sessionId: each.SessionId ?? '',
      callId: each.CallId ?? '',
      subAccountId: each.SubAccountId ?? '',
      exportDay: day,
      date:
        each.InitiatedAt === undefined
          ? day
          : new Date(each.InitiatedAt).toLocaleDateString('sv-SE', { timeZone }),
      currency,
      units: currency === undefined ? undefined : price,
      isAnswered: each.ConnectedAt !== undefined,
      duration,
      answered: each.ConnectedAt === undefined ? undefined : duration,
      billed: seconds.get(each.BillableDurationInSec ?? ''),
      country: each.DestinationCountry,
      product: each.Product,
      sip: ['200', '486', '503'].find((code) => code === each.SipStatus),
      status: each.CallStatus,
    };
  });
}
export type ChargedLeg = ReturnType<typeof chargedLegs>[number];

/** The ids of the sessions that reconciliation would find: see the saved queries. */
export function differences(all: readonly Recorded[], legs: readonly ChargedLeg[]) {
  const charged = new Set(legs.map(({ sessionId }) => sessionId));
  const recorded = new Set(all.map(({ sessionId }) => sessionId));
  const days = new Set(legs.map(({ subAccountId, exportDay }) => `${subAccountId} ${exportDay}`));
  const isExported = ({ subAccountId, startTime }: Recorded) =>
    startTime !== undefined &&
    [-60_000, 60_000].every((margin) =>
      days.has(`${subAccountId} ${new Date(Date.parse(startTime) + margin).toISOString().slice(0, 10)}`),
    );
  return {
    notExported: all.filter(
      (each) => !each.reconstructedFrom && isExported(each) && !charged.has(each.sessionId),
    ),
    notRecorded: [...Map.groupBy(legs, ({ sessionId }) => sessionId)].filter(([id]) => !recorded.has(id)),
    reconstructed: all.filter(({ reconstructedFrom }) => reconstructedFrom !== undefined),
  };
}
