import type { ColumnType } from './dialect.ts';
import type { Attributes } from './stored-record.ts';
import type { DefinedColumn } from './view.ts';

/**
 * One column per attribute, except for lists and unrecognised fields. The attributes of maps get columns as well.
 *
 * @param at The SQL expression of the attributes.
 */
export function storedColumns(attributes: Attributes, at: string, prefix = ''): DefinedColumn[] {
  return Object.entries(attributes).flatMap(([name, attribute]): DefinedColumn[] => {
    const value = `${at}.${name}`;
    switch (attribute.holds) {
      case 'text':
        return [storedColumn(name, prefix, 'varchar', () => `${value}.S`)];
      case 'integer':
        return [storedColumn(name, prefix, 'bigint', () => integer(`${value}.N`))];
      case 'decimal':
        return [storedColumn(name, prefix, 'double', () => `TRY_CAST(${value}.N AS double)`)];
      case 'instant':
        return [storedColumn(name, prefix, 'timestamp', (dialect) => dialect.instant(`${value}.S`))];
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
    throw new Error(`The column ${name} has no description. Add one to DESCRIPTIONS in stored-columns.ts.`);
  return { name, type, description, sql };
}

/** Casts a number to an integer. Trino casts the text of one only without a fraction and an exponent. */
export function integer(text: string): string {
  return `TRY_CAST(TRY_CAST(${text} AS double) AS bigint)`;
}

/** The descriptions of the columns. Times are in UTC. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  session_id: '8x8’s id of the session',
  sub_account_id: '8x8 sub-account',
  session_status: '8x8’s status of the session, such as `COMPLETED`; `outcome` groups the statuses',
  start_time: 'start of the session',
  end_time: 'end of the session',
  last_action: 'last action of the call flow, such as `MAKE_CALL`',
  call_count: 'number of legs as counted by 8x8, connected or not',
  client_request_id: 'request id that the client chose',
  error_code: '8x8’s error code',
  error_msg: '8x8’s error message, as delivered',
  error_call_flow_request_id: 'id of the call flow request that failed',
  error_action: 'call flow action that failed',
  version: '8x8’s schema version of the summary',
  digest: 'SHA-256 of the normalised payload',
  received_at: 'when the summary was first received',
  reconstructed_from: '`log-export` if 8x8 delivered no summary, and it was reconstructed; otherwise null',
  revision: 'number of times that the record was written',
  unsuccessful_in: 'sub-account; null if the session was successful',
  unsuccessful_at:
    'end of the session or, if unknown, when its summary was received; null if the session was successful',
  expires_at: 'when the record expires, in seconds since 1970; null if it never does',
  leg: 'name of the leg: `callA`, `callB`',
  call_id: '8x8’s id of the leg',
  call_direction: '`INBOUND` or `OUTBOUND`',
  call_type: '`PSTN` or `VOIP`',
  call_status: '8x8’s status of the leg',
  initiated_timestamp: 'when the leg was initiated',
  connected_timestamp: 'when the leg was answered; null if it was not',
  disconnected_timestamp: 'when the leg ended',
  call_duration: 'seconds connected, as counted by 8x8',
  source: 'phone number of the caller: personal data',
  source_format: 'format of the caller’s number',
  source_country_code: 'country of the caller (ISO 3166-1 alpha-2)',
  source_ref_id: 'reference id of the virtual number shown as the caller',
  destination: 'called phone number: personal data',
  destination_format: 'format of the called number',
  destination_country_code: 'country of the called number (ISO 3166-1 alpha-2)',
  destination_ref_id: 'reference id of the called virtual number',
  mos: 'mean opinion score of the leg, from 1.0 (bad) to 5.0 (excellent)',
  packet_loss_rate: 'fraction of packets lost: 0.01 is one percent',
  jitter: 'jitter in milliseconds',
};
