import type { ColumnType, Dialect } from '../dialect.ts';
import { withRawColumns } from '../plausible.ts';
import { integer } from '../stored-columns.ts';
import type { DefinedColumn, View } from '../view.ts';
import type { ChargeField } from './charge-fields.ts';

/** The charges: one row per leg. The source has the columns of `CHARGE_FIELDS`, and the UTC day of the file as `day`. */
export const callCharges: View = {
  name: 'call_charges',
  description: 'One row per leg in 8x8’s log export, with its price',
  parts: (_, source) => [{ from: newestRows(source), columns: [...withRawColumns(COLUMNS), ...RAW_PRICES] }],
  derived: [
    {
      name: 'charge_date',
      type: 'date',
      description: 'day on which the leg was initiated',
      sql: (dialect) => `coalesce(CAST(${dialect.local('initiated_timestamp')} AS date), export_day)`,
    },
  ],
};

/** Each leg once: if several rows have it, the one of the newest day. The further order makes the choice repeatable. */
function newestRows(source: string): string {
  const newestFirst = ['day', 'DisconnectedAt', 'UnitPriceCurrency', 'TotalPriceOfCall']
    .map((field) => `${field} DESC NULLS LAST`)
    .join(', ');
  return `(SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY SessionId, CallId ORDER BY ${newestFirst}) AS place
    FROM ${source} WHERE SessionId IS NOT NULL AND CallId IS NOT NULL
  ) AS ranked WHERE place = 1) AS charge_rows`;
}

/** Upper case, because the same currency must not be two groups. */
const CURRENCY = "nullif(upper(trim(UnitPriceCurrency)), '')";

/**
 * A number as 8x8 may write it: with up to one digit of exponent, because DuckDB rounds more wrongly. DuckDB also reads
 * separators between digits, which Trino does not.
 */
const NUMBER = '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+|[0-9]([.][0-9]{1,17})?[eE][+-]?0?[0-9])$';

/** A price. Without a currency, it is not an amount of money, and must not be added to others. */
const price = (field: ChargeField) => (dialect: Dialect) =>
  `CASE WHEN ${CURRENCY} IS NOT NULL AND regexp_like(${field}, '${NUMBER}') THEN TRY_CAST(${field} AS ${dialect.types.decimal}) END`;

const column = (
  name: string,
  type: ColumnType,
  description: string,
  sql: (dialect: Dialect) => string,
): DefinedColumn => ({ name, type, description, sql });
const text = (name: string, field: ChargeField, description: string) =>
  column(name, 'varchar', description, () => field);
const time = (name: string, field: ChargeField, description: string) =>
  column(name, 'timestamp', description, (dialect) => dialect.instant(field));
const seconds = (name: string, field: ChargeField, description: string) =>
  column(name, 'bigint', description, () => integer(field));

const NUMBERING = 'number of that country, as exported: 8x8 does not document the numbering';

const COLUMNS: readonly DefinedColumn[] = [
  text('session_id', 'SessionId', '8x8’s id of the session'),
  text('call_id', 'CallId', '8x8’s id of the leg'),
  text('account_id', 'AccountId', '8x8 account that the sub-account belongs to'),
  text('sub_account_id', 'SubAccountId', '8x8 sub-account'),
  column('export_day', 'date', 'day on which the leg was initiated, in UTC', () => 'TRY_CAST(day AS date)'),
  column(
    'total_price',
    'decimal',
    'price of the leg; null without a readable number or a currency',
    price('TotalPriceOfCall'),
  ),
  column('currency', 'varchar', 'currency of the prices, such as `USD`', () => CURRENCY),
  column('unit_price', 'decimal', 'price of a billing unit; null like `total_price`', price('UnitPrice')),
  text('billing_unit', 'BillingUnit', 'unit of billing, as exported'),
  text(
    'billing_increment',
    'BillingIncrement',
    'increment of billing: `1+1` is per second, `60+60` per minute',
  ),
  seconds('billed_seconds', 'BillableDurationInSec', 'seconds that are billed; null if implausible'),
  seconds('duration_seconds', 'DurationInSec', 'seconds connected; null if implausible'),
  text('product', 'Product', 'product of 8x8 that the leg belongs to'),
  column(
    'sip_status',
    'bigint',
    'final SIP status, 100 to 699',
    () => "CASE WHEN regexp_like(SipStatus, '^[1-6][0-9][0-9]$') THEN CAST(SipStatus AS bigint) END",
  ),
  text('session_status', 'SessionStatus', '8x8’s status of the session'),
  text('call_status', 'CallStatus', '8x8’s status of the leg'),
  text('call_direction', 'Direction', '`INBOUND` or `OUTBOUND`'),
  text('call_type', 'CallType', '`PSTN` or `VOIP`'),
  time('initiated_timestamp', 'InitiatedAt', 'when the leg was initiated'),
  time('connected_timestamp', 'ConnectedAt', 'when the leg was answered; null if it was not'),
  time('disconnected_timestamp', 'DisconnectedAt', 'when the leg ended'),
  text('source_country', 'SourceCountry', 'name of the caller’s country'),
  text('source_country_number', 'SourceCountryCode', NUMBERING),
  text('source_operator', 'SourceOperator', 'operator of the caller'),
  text('source_mcc', 'SourceMCC', 'mobile country code of the caller'),
  text('source_mnc', 'SourceMNC', 'mobile network code of the caller'),
  text('destination_country', 'DestinationCountry', 'name of the country of the called number'),
  text('destination_country_number', 'DestinationCountryCode', NUMBERING),
  text('destination_operator', 'DestinationOperator', 'operator of the called number'),
  text('destination_mcc', 'DestinationMCC', 'mobile country code of the called number'),
  text('destination_mnc', 'DestinationMNC', 'mobile network code of the called number'),
  text(
    'tts_length',
    'TTSLength',
    'length of the synthesized speech, as exported: 8x8 does not document the unit',
  ),
  column(
    'mos',
    'double',
    'mean opinion score of the leg, from 1.0 (bad) to 5.0 (excellent)',
    () => 'TRY_CAST(MOS AS double)',
  ),
];

const RAW_PRICES: readonly DefinedColumn[] = [
  text('raw_total_price', 'TotalPriceOfCall', '`total_price` as exported, also if it is not readable'),
  text('raw_unit_price', 'UnitPrice', '`unit_price` as exported, also if it is not readable'),
];
