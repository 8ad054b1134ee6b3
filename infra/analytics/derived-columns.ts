import type { Dialect } from './dialect.ts';
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

export const startDate: DefinedColumn = {
  name: 'start_date',
  type: 'date',
  description: 'day on which the session started',
  sql: () => 'start_time',
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
  const present = (dialect: Dialect, list: string) =>
    dialect.filter(list, dialect.lambda('x', 'x IS NOT NULL'));
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
      sql(dialect) {
        const durations = dialect.transform(
          legs,
          dialect.lambda('x', 'TRY_CAST(x.M.callDuration.N AS bigint)'),
        );
        return dialect.least(present(dialect, durations));
      },
    },
    {
      name: 'mos',
      type: 'double',
      description: 'lowest mean opinion score of the legs, from 1.0 (bad) to 5.0 (excellent)',
      sql(dialect) {
        const scores = dialect.transform(
          legs,
          dialect.lambda('x', 'TRY_CAST(x.M.callQuality.M.mos.N AS double)'),
        );
        return dialect.least(present(dialect, scores));
      },
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
  ];
}

/** The columns that are derived from the other columns of a summary. */
export const sessionDerived: readonly DefinedColumn[] = [
  startDate,
  {
    name: 'start_hour',
    type: 'bigint',
    description: 'hour in which the session started, 0 to 23',
    sql: () => 'hour(start_time)',
  },
  {
    name: 'duration_seconds',
    type: 'bigint',
    description: 'seconds from start to end of the session',
    sql: (dialect) => dialect.secondsBetween('start_time', 'end_time'),
  },
  {
    name: 'outcome',
    type: 'varchar',
    description: `\`${Object.keys(OUTCOMES).join('`, `')}\`, or \`other\` if the status is missing or not documented by 8x8`,
    sql: () =>
      `CASE ${Object.entries(OUTCOMES)
        .map(([outcome, statuses]) => `WHEN session_status IN ('${statuses.join("', '")}') THEN '${outcome}'`)
        .join(' ')} ELSE 'other' END`,
  },
  {
    name: 'is_incomplete',
    type: 'boolean',
    description: 'whether the status, the start or the end is missing or could not be read',
    sql: () => 'session_status IS NULL OR start_time IS NULL OR end_time IS NULL',
  },
  mosBand,
];
