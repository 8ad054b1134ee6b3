import type { Dialect } from './dialect.ts';
import { isPlausible, PLAUSIBLE_START, type PlausibleColumn, plausible } from './plausible.ts';
import { integer } from './stored-columns.ts';
import type { DefinedColumn } from './view.ts';

/** The outcomes, and the statuses of 8x8 that each groups. */
export const OUTCOMES = {
  answered: ['COMPLETED'],
  unanswered: ['NO_ANSWER', 'BUSY', 'CANCELED'],
  failed: ['FAILED', 'ERROR'],
  opted_out: ['COMPLETED_UNSUBSCRIBED', 'COMPLETED_UNSUB_ERROR', 'UNSUBSCRIBED_CONTACT'],
} as const;

/**
 * 8x8's bands of call quality, with the lowest score of each. A score on the bound of two bands is in the better one.
 *
 * @see https://developer.8x8.com/connect/docs/voice/ivr/session-summary
 */
export const MOS_BANDS = { excellent: 4.3, good: 4, fair: 3.6, poor: 3.1, bad: 1 };

/** The outcome of a status, which is an SQL expression. */
export function outcomeOf(status: string): string {
  const cases = Object.entries(OUTCOMES).map(
    ([outcome, statuses]) => `WHEN ${status} IN ('${statuses.join("', '")}') THEN '${outcome}'`,
  );
  return `CASE ${cases.join(' ')} ELSE 'other' END`;
}

export const startDate: DefinedColumn = {
  name: 'start_date',
  type: 'date',
  description: 'day on which the session started; null if missing or implausible',
  sql: (dialect) => dialect.local(PLAUSIBLE_START),
};

export const sessionDate: DefinedColumn = {
  name: 'session_date',
  type: 'date',
  description: '`start_date`; without it, the day on which the summary was received',
  sql: (dialect) =>
    `coalesce(CAST(${dialect.local(PLAUSIBLE_START)} AS date), CAST(${dialect.local('received_at')} AS date))`,
};

export const mosBand: DefinedColumn = {
  name: 'mos_band',
  type: 'varchar',
  description: `8x8’s band for \`mos\`: ${Object.entries(MOS_BANDS)
    .map(([band, least]) => `\`${band}\` from ${least.toFixed(1)}`)
    .join(', ')}`,
  sql: () =>
    `CASE ${Object.entries(MOS_BANDS)
      .map(([band, least]) => `WHEN mos >= ${least} THEN '${band}'`)
      .join(' ')} END`,
};

/** The columns that are computed from the legs of a summary. @param at The SQL expression of the summary. */
export function legColumns(at: string): DefinedColumn[] {
  const legs = `${at}.legs.L`;
  const valuesOf = (dialect: Dialect, column: LegColumn) =>
    dialect.transform(legs, dialect.lambda('x', LEG_VALUES[column]));
  const plausibleOf = (dialect: Dialect, column: LegColumn) =>
    dialect.filter(valuesOf(dialect, column), dialect.lambda('x', isPlausible(column, 'x')));
  const implausibleOf = (dialect: Dialect, column: LegColumn) =>
    dialect.filter(valuesOf(dialect, column), dialect.lambda('x', `NOT (${isPlausible(column, 'x')})`));
  const side = (dialect: Dialect, field: string) => `(${dialect.first(legs)}).M.${field}.S`;
  return [
    {
      name: 'leg_count',
      type: 'bigint',
      description: 'number of legs in `call_legs`',
      sql: (dialect) => dialect.length(legs),
    },
    {
      name: 'talk_seconds',
      type: 'bigint',
      description:
        'talk time: seconds during which all legs were connected, which is the shortest `call_duration` of the legs; 0 if a leg was not answered',
      sql: (dialect) => dialect.least(plausibleOf(dialect, 'call_duration')),
    },
    {
      name: 'mos',
      type: 'double',
      description: 'lowest mean opinion score of the legs, from 1.0 (bad) to 5.0 (excellent)',
      sql: (dialect) => dialect.least(plausibleOf(dialect, 'mos')),
    },
    {
      name: 'country',
      type: 'varchar',
      description:
        'country of the other party (ISO 3166-1 alpha-2): of the number that the first leg called, or of the caller if that leg is inbound',
      sql: (dialect) =>
        `CASE WHEN ${side(dialect, 'callDirection')} = 'INBOUND' THEN ${side(dialect, 'sourceCountryCode')} ELSE ${side(dialect, 'destinationCountryCode')} END`,
    },
    {
      name: 'unrecognised_count',
      type: 'bigint',
      description: 'number of fields in `unrecognised_fields`',
      sql: () => `coalesce(cardinality(${at}.unrecognised.M), 0)`,
    },
    {
      name: 'implausible_count',
      type: 'bigint',
      description:
        'number of values of the legs that are left out as implausible; `call_legs` has them as `raw_mos` etc.',
      sql: (dialect) =>
        LEG_COLUMNS.map((column) => dialect.length(implausibleOf(dialect, column))).join(' + '),
    },
  ];
}

/** The SQL of the values of a leg `x` that have a plausible range. */
const LEG_VALUES = {
  mos: 'TRY_CAST(x.M.callQuality.M.mos.N AS double)',
  packet_loss_rate: 'TRY_CAST(x.M.callQuality.M.packetLossRate.N AS double)',
  jitter: integer('x.M.callQuality.M.jitter.N'),
  call_duration: integer('x.M.callDuration.N'),
} satisfies Partial<Record<PlausibleColumn, string>>;
type LegColumn = keyof typeof LEG_VALUES;
const LEG_COLUMNS: readonly LegColumn[] = ['mos', 'packet_loss_rate', 'jitter', 'call_duration'];

/** The columns that are derived from the other columns of a summary. */
export const sessionDerived: readonly DefinedColumn[] = [
  startDate,
  {
    name: 'start_hour',
    type: 'bigint',
    description: 'hour in which the session started, 0 to 23; null like `start_date`',
    sql: (dialect) => `hour(${dialect.local(PLAUSIBLE_START)})`,
  },
  sessionDate,
  {
    name: 'duration_seconds',
    type: 'bigint',
    description: 'seconds from start to end of the session; null if implausible',
    sql: (dialect) => plausible('duration_seconds', dialect.secondsBetween('start_time', 'end_time')),
  },
  {
    name: 'outcome',
    type: 'varchar',
    description: `\`${Object.keys(OUTCOMES).join('`, `')}\`, or \`other\` if the status is missing or not documented by 8x8`,
    sql: () => outcomeOf('session_status'),
  },
  {
    name: 'is_incomplete',
    type: 'boolean',
    description: 'whether the status, the start or the end is missing or could not be read',
    sql: () => 'session_status IS NULL OR start_time IS NULL OR end_time IS NULL',
  },
  mosBand,
];
