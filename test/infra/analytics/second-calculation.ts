import fc from 'fast-check';

/**
 * A second calculation of the numbers in the saved queries and the report, in TypeScript, that shares no code with the
 * views; and records with implausible values, missing values, and odd texts.
 */

interface Leg {
  leg: string;
  callDirection?: string;
  callDuration?: number;
  initiatedTimestamp?: string;
  connectedTimestamp?: string;
  source?: string;
  sourceCountryCode?: string;
  destinationCountryCode?: string;
  callQuality?: { mos?: number; jitter?: number; packetLossRate?: number };
  errorDetails?: { errorCode?: number; errorMsg?: string };
}

export interface Stored {
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
      initiatedTimestamp: fc.constant('2026-11-20T10:00:00Z'),
      connectedTimestamp: fc.constantFrom(
        ...['2026-11-20T10:00:07Z', '2026-11-20T10:01:00.9Z', '2026-11-20T09:59:59Z', '2026-12-20T10:00:00Z'],
      ),
      source: fc.constantFrom('+6591234567', '+6598765432', '', 'anonymous'),
      sourceCountryCode: country,
      destinationCountryCode: country,
      callQuality: fc.record(
        {
          mos: fc.oneof(
            // Most are plausible, so that some routes have enough of them to be ranked.
            { weight: 4, arbitrary: fc.constantFrom(1, 4.3, 3.36, 4.29, 5) },
            { weight: 1, arbitrary: fc.constantFrom(0, 0.99, 5.01, -1, 93) },
          ),
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
/** How many records a table has. With many, each query has rows in every group; with few, most have none. */
export const SIZES = {
  few: { minLength: 1, maxLength: 5 },
  many: { minLength: 100, maxLength: 120, size: 'max' },
} as const;

export const tableOf = (size: keyof typeof SIZES) =>
  fc.array(fc.tuple(record, fc.array(record, { maxLength: 1 })), SIZES[size]).map((rows) =>
    rows.map(([shown, alternates], i): Stored => {
      const own = { ...shown, sessionId: `session-${i}` };
      return alternates.length === 0
        ? own
        : { ...own, alternates: alternates.map((each) => ({ ...each, sessionId: own.sessionId })) };
    }),
  );

/** Tables that are compared with the calculation, each in one run by default: a run opens a database and draws a report. */
export const TABLES = [
  ['few', 'UTC'],
  ['many', 'UTC'],
  ['many', 'Asia/Singapore'],
  ['many', 'America/St_Johns'],
] as const;
export const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 1);

/** The calculation that the views are compared with. */
export function calculation(records: readonly Stored[], timeZone: string) {
  const dayOf = (text: string) => new Date(text).toLocaleDateString('sv-SE', { timeZone });
  const startOf = ({ startTime, receivedAt }: Stored) => {
    if (startTime === undefined) return undefined;
    const earliest = new Date(receivedAt);
    earliest.setUTCFullYear(earliest.getUTCFullYear() - 10);
    const [start, received] = [Date.parse(startTime), Date.parse(receivedAt)];
    return start >= earliest.getTime() && start <= received + DAY ? startTime : undefined;
  };
  const dateOf = (stored: Stored) => {
    const start = startOf(stored);
    return start === undefined ? undefined : dayOf(start);
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
      date: dateOf(stored),
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
  const legs = records.flatMap((stored) =>
    (stored.legs ?? []).map(({ callQuality: { mos, jitter, packetLossRate } = {}, ...each }) => ({
      route: `${each.sourceCountryCode ?? '??'}-${each.destinationCountryCode ?? '??'}`,
      date: dateOf(stored),
      ring: between(
        (Date.parse(each.connectedTimestamp ?? '') - Date.parse(each.initiatedTimestamp ?? '')) / 1_000,
        0,
        WEEK_SECONDS,
      ),
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

export const band = (mos: number) =>
  mos >= 4.3 ? 'excellent' : mos >= 4 ? 'good' : mos >= 3.6 ? 'fair' : mos >= 3.1 ? 'poor' : 'bad';
const countBy = <T>(items: readonly T[], key: (item: T) => unknown) =>
  new Map(
    [...Map.groupBy(items, (item) => JSON.stringify(key(item)))].map(([name, { length }]) => [name, length]),
  );
/** The value that a discrete quantile returns. */
export const quantile = (values: readonly number[], fraction: number) =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(fraction * values.length) - 1)];
export const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
/** Counts by group, as rows of a query report them. */
export const counts = (
  rows: readonly Record<string, unknown>[],
  keys: readonly string[],
  count = 'sessions',
) => new Map(rows.map((row) => [JSON.stringify(keys.map((key) => row[key] ?? null)), Number(row[count])]));
export const expected = <T>(items: readonly T[], key: (item: T) => readonly unknown[]) =>
  countBy(items, (item) => key(item).map((value) => (value === undefined ? null : value)));
