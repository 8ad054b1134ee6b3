import { ERROR_CODES } from '../../functions/vss/error-codes.ts';
import { legColumns, mosBand, sessionDate, sessionDerived, startDate } from './derived-columns.ts';
import { quoted } from './dialect.ts';
import { plausible, withRawColumns } from './plausible.ts';
import { storedColumns } from './stored-columns.ts';
import { ERROR_DETAILS, LEG, RECORD, SUMMARY } from './stored-record.ts';
import type { DefinedColumn, View } from './view.ts';

const summaryCount: DefinedColumn = {
  name: 'summary_count',
  type: 'bigint',
  description: 'number of different summaries that 8x8 delivered: more than 1 is a conflict',
  sql: (dialect) => `1 + ${dialect.length('item.alternates.L')}`,
};

/** The sessions. */
export const sessions: View = {
  name: 'sessions',
  description: 'One row per session',
  parts: (_, source) => [
    { from: source, columns: [...storedColumns(RECORD, 'item'), summaryCount, ...legColumns('item')] },
  ],
  derived: sessionDerived,
};

/** The first columns of every view whose rows are parts of a session. */
const sessionKeys = storedColumns(RECORD, 'item').filter(({ name }) =>
  ['session_id', 'sub_account_id', 'session_status', 'start_time', 'received_at'].includes(name),
);

/** The legs of the sessions. */
export const callLegs: View = {
  name: 'call_legs',
  description: 'One row per leg of a session',
  parts(dialect, source) {
    const { from, element } = dialect.unnestList(source, 'item.legs.L');
    return [{ from, columns: [...sessionKeys, ...withRawColumns(storedColumns(LEG, element))] }];
  },
  derived: [
    startDate,
    sessionDate,
    {
      name: 'ring_seconds',
      type: 'bigint',
      description: 'seconds from the start of the leg until it was answered; null if implausible',
      sql: (dialect) =>
        plausible('ring_seconds', dialect.secondsBetween('initiated_timestamp', 'connected_timestamp')),
    },
    {
      name: 'route',
      type: 'varchar',
      description:
        'countries of the caller and the called number, such as `US-SG`; `??` for a missing country',
      sql: () => `coalesce(source_country_code, '??') || '-' || coalesce(destination_country_code, '??')`,
    },
    mosBand,
  ],
};

const ERROR_CODE_ROWS = [...ERROR_CODES].map(
  ([code, { message, meaning, retryCanHelp }]) =>
    `  (${code}, ${quoted(message)}, ${quoted(meaning)}, ${retryCanHelp})`,
);

const sessionErrors: View = {
  name: 'session_errors',
  description: 'One row per error that 8x8 reported for a session or a leg',
  parts(dialect, source) {
    const { from, element } = dialect.unnestList(source, 'item.legs.L');
    const columns = (at: string, leg: string): DefinedColumn[] => [
      ...sessionKeys,
      {
        name: 'leg',
        type: 'varchar',
        description: 'name of the leg with the error; null for an error of the session',
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
      description: 'message that 8x8 documents for the code; null for an undocumented code',
      sql: () => 'codes.message',
    },
    {
      name: 'meaning',
      type: 'varchar',
      description: 'what the error means for the client (our interpretation)',
      sql: () => 'codes.meaning',
    },
    {
      name: 'retry_can_help',
      type: 'boolean',
      description: 'whether a retry of the same session may succeed (our interpretation)',
      sql: () => 'codes.retry_can_help',
    },
  ],
  join: `\nLEFT JOIN (VALUES\n${ERROR_CODE_ROWS.join(',\n')}\n) AS codes (code, message, meaning, retry_can_help) ON codes.code = stored.error_code`,
};

const sessionSummaries: View = {
  name: 'session_summaries',
  description: 'One row per different summary that 8x8 delivered for a session; several are a conflict',
  parts(dialect, source) {
    const { from, element } = dialect.unnestList(source, 'item.alternates.L');
    const columns = (isShown: boolean, at: string): DefinedColumn[] => [
      {
        name: 'is_shown',
        type: 'boolean',
        description: 'whether `sessions` shows this summary',
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
  description: 'One row per delivered field that has no column',
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
            description: 'path of the field in the delivery, such as `payload.details.callA.ringSeconds`',
            sql: () => key,
          },
          {
            name: 'value',
            type: 'varchar',
            description: 'value of the field as DynamoDB JSON: `{"N":"7"}`. May contain personal data',
            sql: () => value,
          },
        ],
      },
    ];
  },
  derived: [sessionDate],
};

/** The views of session records. */
export const VIEWS: readonly View[] = [
  sessions,
  callLegs,
  sessionErrors,
  sessionSummaries,
  unrecognisedFields,
];

/** The views that also exist for all full exports, as `NAME_history` with `EXPORT_COLUMNS` first. */
export const VIEWS_WITH_HISTORY: readonly View[] = [sessions, callLegs, sessionErrors];
