/**
 * The fields of a row in a file of charges: one row per leg, as 8x8's log export names its columns. All values are text.
 * The phone numbers of a row are left out.
 */
export const CHARGE_FIELDS = [
  'SessionId',
  'CallId',
  'AccountId',
  'SubAccountId',
  'Direction',
  'SourceCountryCode',
  'SourceCountry',
  'SourceOperator',
  'SourceMCC',
  'SourceMNC',
  'DestinationCountryCode',
  'DestinationCountry',
  'DestinationOperator',
  'DestinationMCC',
  'DestinationMNC',
  'InitiatedAt',
  'ConnectedAt',
  'DisconnectedAt',
  'DurationInSec',
  'Product',
  'BillingUnit',
  'BillingIncrement',
  'BillableDurationInSec',
  'UnitPrice',
  'UnitPriceCurrency',
  'TotalPriceOfCall',
  'CallType',
  'SipStatus',
  'SessionStatus',
  'CallStatus',
  'TTSLength',
  'MOS',
] as const;
export type ChargeField = (typeof CHARGE_FIELDS)[number];
