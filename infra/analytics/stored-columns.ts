import type { ColumnType, Dialect } from './dialect.ts';
import type { Attributes } from './stored-record.ts';
import type { DefinedColumn } from './view.ts';

/**
 * A column for each of these attributes whose value is no list.
 *
 * @param at Where the attributes are.
 */
export function storedColumns(attributes: Attributes, at: string, prefix = ''): DefinedColumn[] {
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
    throw new Error(
      `The record has an attribute for the column ${name}; DESCRIPTIONS has to say what it is.`,
    );
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
  digest: 'SHA-256 of the normalised content of the payload',
  received_at: 'when the summary was first received',
  revision: 'how often the record was written',
  unsuccessful_in: 'the sub-account, if the session was not successful',
  unsuccessful_at:
    'if the session was not successful, its end or, where that is not known, when its summary was received',
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
