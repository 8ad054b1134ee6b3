import { ERROR_CODES } from '../../functions/vss/error-codes.ts';
import { type ColumnType, type Dialect, TRINO } from './dialect.ts';
import { type Attributes, ERROR_DETAILS, LEG, RECORD, SUMMARY } from './stored-record.ts';

/** A column of a view. */
export interface Column {
  /** In snake_case. */
  name: string;
  type: ColumnType;
  /** For whoever queries it. */
  description: string;
}

/** A column with its expression. */
interface DefinedColumn extends Column {
  sql(dialect: Dialect): string;
}

/** Rows of one kind, from the records of an export. */
export interface View {
  name: string;
  /** What a row is. */
  description: string;
  /**
   * What is read of the items. Of several parts, the rows of all, with the same columns.
   *
   * @param source A relation with the column `item`, a record as DynamoDB exports it.
   */
  parts(dialect: Dialect, source: string): readonly Part[];
  /** What is derived of the columns of the parts, each in a column of its own. */
  derived: readonly DefinedColumn[];
  /** What else the derived columns are of. */
  join?: string;
}

interface Part {
  from: string;
  columns: readonly DefinedColumn[];
  /** Only the rows in which there is this. */
  where?: string;
}

/** The columns of a view, in their order. */
export function columnsOf({ parts, derived }: View): readonly Column[] {
  return [...(parts(TRINO, '')[0]?.columns ?? []), ...derived];
}

/**
 * The query of a view.
 *
 * @param source A relation with the column `item`, and with those that are passed through.
 */
export function selectOf(
  { parts, derived, join = '' }: View,
  dialect: Dialect,
  source: string,
  passedThrough: readonly Column[] = [],
): string {
  const through = passedThrough.map((column) => ({ ...column, sql: () => column.name }));
  const read = parts(dialect, source);
  const rows = read.map(({ from, columns, where }) => {
    const selected = [...through, ...columns].map((column) => `${column.sql(dialect)} AS ${column.name}`);
    const condition = where === undefined ? '' : `\n  WHERE ${where} IS NOT NULL`;
    return `  SELECT ${selected.join(',\n    ')}\n  FROM ${from}${condition}`;
  });
  const typed = (name: string, type: ColumnType, sql: string) =>
    `CAST(${sql} AS ${dialect.types[type]}) AS ${name}`;
  const columns = [
    ...[...through, ...(read[0]?.columns ?? [])].map(({ name, type }) => typed(name, type, name)),
    ...derived.map((column) => typed(column.name, column.type, column.sql(dialect))),
  ];
  return `SELECT ${columns.join(',\n  ')}\nFROM (\n${rows.join('\n  UNION ALL\n')}\n) AS stored${join}`;
}

/**
 * A column for each of these attributes whose value is no list.
 *
 * @param at Where the attributes are.
 */
function storedColumns(attributes: Attributes, at: string, prefix = ''): DefinedColumn[] {
  return Object.entries(attributes).flatMap(([name, attribute]): DefinedColumn[] => {
    const value = `${at}.${name}`;
    switch (attribute.holds) {
      case 'text':
        return [storedColumn(name, prefix, 'varchar', () => `${value}.S`)];
      case 'integer':
        return [storedColumn(name, prefix, 'bigint', () => `TRY_CAST(${value}.N AS bigint)`)];
      case 'decimal':
        return [storedColumn(name, prefix, 'double', () => `TRY_CAST(${value}.N AS double)`)];
      case 'instant':
        return [storedColumn(name, prefix, 'timestamp', (dialect) => timestamp(dialect, `${value}.S`))];
      case 'map':
        return storedColumns(attribute.of, `${value}.M`, name === 'errorDetails' ? 'error_' : '');
      default:
        return [];
    }
  });
}

function storedColumn(
  attribute: string,
  prefix: string,
  type: ColumnType,
  sql: DefinedColumn['sql'],
): DefinedColumn {
  const snakeCase = attribute.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const name = snakeCase.startsWith(prefix) ? snakeCase : `${prefix}${snakeCase}`;
  const description = DESCRIPTIONS[name];
  if (description === undefined)
    throw new Error(`The record has an attribute for the column ${name}; views.ts has to say what it is.`);
  return { name, type, description, sql };
}

/** A canonical time, which is in UTC, as a timestamp. */
function timestamp({ types }: Dialect, text: string): string {
  return `TRY_CAST(replace(substr(${text}, 1, 23), 'T', ' ') AS ${types.timestamp})`;
}

/** Of each stored column, what it is. Times are in UTC. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  session_id: '8x8’s id of the session',
  sub_account_id: '8x8 sub-account',
  session_status: '8x8’s outcome of the session, such as `COMPLETED`; `outcome` sums it up',
  start_time: 'start of the session',
  end_time: 'end of the session',
  last_action: 'the last action of the call flow, such as `MAKE_CALL`',
  call_count: 'legs of the session as 8x8 counts them, connected or not',
  client_request_id: 'the id that the client gave its request',
  error_code: '8x8’s error code',
  error_msg: '8x8’s error message as it was delivered',
  error_call_flow_request_id: 'the call flow request that failed',
  error_action: 'the action that failed',
  version: '8x8’s version of the summary’s schema',
  digest: 'SHA-256 of the summary',
  received_at: 'when the delivery was received that the summary was recorded from',
  revision: 'how many different summaries were delivered: more than 1 is a conflict',
  unsuccessful_in: 'the sub-account, if the session was not successful',
  expires_at: 'when the record is deleted, in seconds since 1970, if ever',
  leg: 'the leg: `callA`, `callB`',
  call_id: '8x8’s id of the leg',
  call_direction: '`INBOUND` or `OUTBOUND`',
  call_type: '`PSTN` or `VOIP`',
  call_status: '8x8’s outcome of the leg',
  initiated_timestamp: 'when the leg was begun',
  connected_timestamp: 'when it was answered, if it was',
  disconnected_timestamp: 'when it ended',
  call_duration: 'seconds connected, as 8x8 counts them',
  source: 'the caller, a phone number: personal data',
  source_format: 'format of the caller',
  source_country_code: 'country of the caller, ISO 3166-1 alpha-2',
  source_ref_id: 'the virtual number shown as the caller, by its reference id',
  destination: 'the number called: personal data',
  destination_format: 'format of the number called',
  destination_country_code: 'country of the number called',
  destination_ref_id: 'the virtual number called, by its reference id',
  mos: 'mean opinion score, 1.0 (bad) to 5.0 (excellent)',
  packet_loss_rate: 'packets lost, a fraction: 0.01 is one percent',
  jitter: 'milliseconds',
};

/** What 8x8's statuses come to. */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  answered: ['COMPLETED'],
  unanswered: ['NO_ANSWER', 'BUSY', 'CANCELED'],
  failed: ['FAILED', 'ERROR'],
  opted_out: ['COMPLETED_UNSUBSCRIBED', 'COMPLETED_UNSUB_ERROR', 'UNSUBSCRIBED_CONTACT'],
};

/**
 * 8x8's bands of call quality, by the least score of each. Where two share a bound, the better one has it.
 *
 * @see https://developer.8x8.com/connect/docs/voice/ivr/session-summary
 */
const MOS_BANDS = { excellent: 4.3, good: 4, fair: 3.6, poor: 3.1, bad: 1 };

const startDate: DefinedColumn = {
  name: 'start_date',
  type: 'date',
  description: 'day on which the session began',
  sql: () => 'CAST(start_time AS date)',
};

const mosBand: DefinedColumn = {
  name: 'mos_band',
  type: 'varchar',
  description: `8x8’s band of \`mos\`: ${Object.entries(MOS_BANDS)
    .map(([band, least]) => `\`${band}\` from ${least.toFixed(1)}`)
    .join(', ')}`,
  sql: () =>
    `CASE ${Object.entries(MOS_BANDS)
      .map(([band, least]) => `WHEN mos >= ${least} THEN '${band}'`)
      .join(' ')} END`,
};

/** What is computed of the legs of a summary. @param at Where the summary is. */
function legColumns(at: string): DefinedColumn[] {
  const legs = `${at}.legs.L`;
  const present = (dialect: Dialect, list: string) =>
    dialect.filter(list, dialect.lambda('x', 'x IS NOT NULL'));
  const side = (dialect: Dialect, field: string) => `(${dialect.first(legs)}).M.${field}.S`;
  return [
    {
      name: 'leg_count',
      type: 'bigint',
      description: 'legs in `call_legs`',
      sql: (dialect) => dialect.length(legs),
    },
    {
      name: 'talk_seconds',
      type: 'bigint',
      description:
        'talk time: for how many seconds everyone who answered was connected, which is the shortest `call_duration` of the legs that were answered',
      sql(dialect) {
        const answered = dialect.filter(legs, dialect.lambda('x', 'x.M.connectedTimestamp.S IS NOT NULL'));
        const durations = dialect.transform(
          answered,
          dialect.lambda('x', 'TRY_CAST(x.M.callDuration.N AS bigint)'),
        );
        return dialect.least(present(dialect, durations));
      },
    },
    {
      name: 'mos',
      type: 'double',
      description: 'the least mean opinion score of the legs, 1.0 (bad) to 5.0 (excellent)',
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
        'country of the other party, ISO 3166-1 alpha-2: of the number called by the first leg, or of its caller if that leg is inbound',
      sql: (dialect) =>
        `CASE WHEN ${side(dialect, 'callDirection')} = 'INBOUND' THEN ${side(dialect, 'sourceCountryCode')} ELSE ${side(dialect, 'destinationCountryCode')} END`,
    },
    {
      name: 'unrecognised_count',
      type: 'bigint',
      description: 'fields in `unrecognised_fields`',
      sql: () => `coalesce(cardinality(${at}.unrecognised.M), 0)`,
    },
  ];
}

/** What is derived of the columns of a summary. */
const sessionDerived: readonly DefinedColumn[] = [
  startDate,
  {
    name: 'start_hour',
    type: 'bigint',
    description: 'hour of that day, 0 to 23',
    sql: () => 'hour(start_time)',
  },
  {
    name: 'duration_seconds',
    type: 'bigint',
    description: 'from start to end of the session',
    sql: (dialect) => dialect.secondsBetween('start_time', 'end_time'),
  },
  {
    name: 'outcome',
    type: 'varchar',
    description: `\`${Object.keys(OUTCOMES).join('`, `')}\`, or \`other\` for a status that 8x8 does not document`,
    sql: () =>
      `CASE ${Object.entries(OUTCOMES)
        .map(([outcome, statuses]) => `WHEN session_status IN ('${statuses.join("', '")}') THEN '${outcome}'`)
        .join(' ')} ELSE 'other' END`,
  },
  mosBand,
];

const sessions: View = {
  name: 'sessions',
  description: 'One row per session',
  parts: (_, source) => [
    { from: source, columns: [...storedColumns(RECORD, 'item'), ...legColumns('item')] },
  ],
  derived: sessionDerived,
};

/** What every row about a part of a session begins with. */
const sessionKeys = storedColumns(RECORD, 'item').filter(({ name }) =>
  ['session_id', 'sub_account_id', 'session_status', 'start_time'].includes(name),
);

const callLegs: View = {
  name: 'call_legs',
  description: 'One row per leg of a session',
  parts(dialect, source) {
    const { from, element } = dialect.unnestList(source, 'item.legs.L');
    return [{ from, columns: [...sessionKeys, ...storedColumns(LEG, element)] }];
  },
  derived: [
    startDate,
    {
      name: 'ring_seconds',
      type: 'bigint',
      description: 'from the begin of the leg until it was answered',
      sql: (dialect) => dialect.secondsBetween('initiated_timestamp', 'connected_timestamp'),
    },
    {
      name: 'route',
      type: 'varchar',
      description: 'country of the caller, and of the number called: `US-SG`; `??` where 8x8 says none',
      sql: () => `coalesce(source_country_code, '??') || '-' || coalesce(destination_country_code, '??')`,
    },
    mosBand,
  ],
};

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

const ERROR_CODE_ROWS = [...ERROR_CODES].map(
  ([code, { message, meaning, retryCanHelp }]) =>
    `  (${code}, ${quoted(message)}, ${quoted(meaning)}, ${retryCanHelp})`,
);

const sessionErrors: View = {
  name: 'session_errors',
  description: 'One row per error that 8x8 reported of a session or a leg',
  parts(dialect, source) {
    const { from, element } = dialect.unnestList(source, 'item.legs.L');
    const columns = (at: string, leg: string): DefinedColumn[] => [
      ...sessionKeys,
      {
        name: 'leg',
        type: 'varchar',
        description: 'the leg that the error is about; null for the session',
        sql: () => leg,
      },
      ...storedColumns(ERROR_DETAILS, `${at}.errorDetails.M`, 'error_'),
    ];
    return [
      { from: source, columns: columns('item', 'CAST(NULL AS varchar)'), where: 'item.errorDetails.M' },
      { from, columns: columns(element, `${element}.leg.S`), where: `${element}.errorDetails.M` },
    ];
  },
  derived: [
    startDate,
    {
      name: 'documented_message',
      type: 'varchar',
      description: 'what 8x8 documents of the code; null for one that it does not',
      sql: () => 'codes.message',
    },
    {
      name: 'meaning',
      type: 'varchar',
      description: 'what it means for whoever started the session: our reading',
      sql: () => 'codes.meaning',
    },
    {
      name: 'retry_can_help',
      type: 'boolean',
      description: 'whether the same session may succeed when it is tried again: our reading',
      sql: () => 'codes.retry_can_help',
    },
  ],
  join: `\nLEFT JOIN (VALUES\n${ERROR_CODE_ROWS.join(',\n')}\n) AS codes (code, message, meaning, retry_can_help) ON codes.code = stored.error_code`,
};

const sessionSummaries: View = {
  name: 'session_summaries',
  description: 'One row per different summary that 8x8 delivered of a session; several are a conflict',
  parts(dialect, source) {
    const { from, element } = dialect.unnestList(source, 'item.alternates.L');
    const columns = (isShown: boolean, at: string): DefinedColumn[] => [
      {
        name: 'is_shown',
        type: 'boolean',
        description: 'whether it is the one that `sessions` shows',
        sql: () => String(isShown),
      },
      ...storedColumns(SUMMARY, at),
      ...legColumns(at),
    ];
    return [
      { from: source, columns: columns(true, 'item') },
      { from, columns: columns(false, element) },
    ];
  },
  derived: sessionDerived,
};

const unrecognisedFields: View = {
  name: 'unrecognised_fields',
  description: 'One row per field that was delivered and has no column',
  parts(dialect, source) {
    const { from, key, value } = dialect.unnestMap(source, 'item.unrecognised.M');
    return [
      {
        from,
        columns: [
          ...sessionKeys,
          {
            name: 'path',
            type: 'varchar',
            description: 'where it was in the delivery: `payload.details.callA.ringSeconds`',
            sql: () => key,
          },
          {
            name: 'value',
            type: 'varchar',
            description: 'what was there, in DynamoDB’s JSON: `{"N":"7"}`. May be personal data',
            sql: () => value,
          },
        ],
      },
    ];
  },
  derived: [],
};

/** The views of the records of an export. */
export const VIEWS: readonly View[] = [
  sessions,
  callLegs,
  sessionErrors,
  sessionSummaries,
  unrecognisedFields,
];

/** Of which export a row is: the columns that the views of the history have more, as `sessions_history`. */
export const EXPORT_COLUMNS: readonly Column[] = [
  {
    name: 'export_time',
    type: 'varchar',
    description: 'which export: the time for which it was scheduled, `2026-11-21T02:00:00Z`',
  },
  {
    name: 'export_id',
    type: 'varchar',
    description: 'DynamoDB’s id of the export; that of a later one is greater',
  },
];

/** The columns of the view `exports`: one row per complete export. */
export const EXPORTS_COLUMNS: readonly Column[] = [
  ...EXPORT_COLUMNS,
  { name: 'item_count', type: 'bigint', description: 'how many records it has' },
];

/** The views that there are of all exports too, with `EXPORT_COLUMNS` before their own. */
export const VIEWS_WITH_HISTORY: readonly View[] = [sessions, callLegs, sessionErrors];
