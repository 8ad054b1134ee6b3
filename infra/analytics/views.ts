import { ERROR_CODES } from '../../functions/vss/error-codes.ts';
import { legColumns, mosBand, sessionDerived, startDate } from './derived-columns.ts';
import { quoted } from './dialect.ts';
import { storedColumns } from './stored-columns.ts';
import { ERROR_DETAILS, LEG, RECORD, SUMMARY } from './stored-record.ts';
import type { Column, DefinedColumn, View } from './view.ts';

const summaryCount: DefinedColumn = {
  name: 'summary_count',
  type: 'bigint',
  description: 'how many different summaries 8x8 delivered: more than 1 is a conflict',
  sql: (dialect) => `1 + ${dialect.length('item.alternates.L')}`,
};

const sessions: View = {
  name: 'sessions',
  description: 'One row per session',
  parts: (_, source) => [
    { from: source, columns: [...storedColumns(RECORD, 'item'), summaryCount, ...legColumns('item')] },
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
    description: 'which export: the time for which it was scheduled, `2026-11-21T02:00:00Z`; else its own',
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
