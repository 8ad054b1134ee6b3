import { chargesOf, chosen } from './charges.ts';
import { COUNTRIES } from './countries.ts';
import type { Leg, Session } from './sessions.ts';

/** The columns of the log export, in 8x8's order. The reader has a list of its own, so that an error in one of them is found. */
export const COLUMNS: readonly string[] = [
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
  'SourceEndpoint',
  'DestinationCountryCode',
  'DestinationCountry',
  'DestinationOperator',
  'DestinationMCC',
  'DestinationMNC',
  'DestinationEndpoint',
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
  'Content',
];

/** A row of the log export: one leg. */
export interface Row {
  /** The values by column. A missing value is empty. */
  cells: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  initiated: number;
}

/** The rows of a session: one per leg. What a summary does not contain depends only on the ids. */
export function rowsOf(session: Session, currencies: readonly string[]): Row[] {
  return Object.values(session.details ?? {}).map((leg) => rowOf(session, leg, currencies));
}

function rowOf(session: Session, leg: Leg, currencies: readonly string[]): Row {
  const initiatedAt = leg.initiatedTimestamp ?? session.startTime ?? '';
  const disconnectedAt = leg.disconnectedTimestamp ?? session.endTime ?? '';
  const { callId = '', callDuration = 0 } = leg;
  const status = callStatusOf(leg);
  return {
    cells: {
      SessionId: session.sessionId,
      CallId: callId,
      AccountId: 'ExampleAccount',
      SubAccountId: session.subAccountId,
      Direction: leg.callDirection ?? '',
      ...endOf('Source', leg, leg.source, leg.sourceCountryCode),
      ...endOf('Destination', leg, leg.destination, leg.destinationCountryCode),
      InitiatedAt: formatTime(initiatedAt),
      ConnectedAt: formatTime(leg.connectedTimestamp ?? ''),
      DisconnectedAt: formatTime(disconnectedAt),
      DurationInSec: String(callDuration),
      Product: chosen(session.sessionId, PRODUCTS),
      ...chargesOf(callId, callDuration, currencies),
      CallType: leg.callType ?? '',
      SipStatus: SIP_STATUS.get(status) ?? '',
      SessionStatus: session.sessionStatus ?? '',
      CallStatus: status,
      ...speechOf(session),
      MOS: String(leg.callQuality?.mos ?? ''),
    },
    initiated: Date.parse(initiatedAt),
  };
}

const PRODUCTS = ['IVR', 'NUMBER_MASKING', 'VOICE_MESSAGING', 'PROGRAMMABLE_SIP'];

const OPERATORS = ['Example Telecom', 'Sample "Mobile"', 'Demo Lines, Ltd'];

const SIP_STATUS: ReadonlyMap<string, string> = new Map([
  ['COMPLETED', '200'],
  ['NO_ANSWER', '480'],
  ['BUSY', '486'],
  ['CANCELED', '487'],
  ['FAILED', '503'],
]);

/** The status of a call in the export, which has no ERROR. */
function callStatusOf({ callStatus = '' }: Leg): string {
  return callStatus.toUpperCase() === 'ERROR' ? 'FAILED' : callStatus;
}

/** The columns about one end of a call. Only the end outside 8x8 has an operator. */
function endOf(
  end: 'Source' | 'Destination',
  { callId = '', callDirection }: Leg,
  number: string | undefined,
  countryCode: string | undefined,
) {
  const country = COUNTRIES.get(countryCode ?? '');
  const isOutside = (callDirection?.toUpperCase() === 'INBOUND') === (end === 'Source');
  const operator = isOutside && country ? country : undefined;
  return {
    [`${end}CountryCode`]: country?.callingCode ?? '',
    [`${end}Country`]: country?.name ?? '',
    [`${end}Operator`]: operator ? chosen(callId, OPERATORS) : '',
    [`${end}MCC`]: operator?.mobileCountryCode ?? '',
    [`${end}MNC`]: operator ? chosen(callId, ['01', '02', '03']) : '',
    [`${end}Endpoint`]: number ?? '',
  };
}

/** Text that was spoken, and the call flow of a campaign, which is JSON with commas, quotation marks and line breaks. */
function speechOf({ lastAction, sessionId }: Session) {
  if (lastAction?.toUpperCase() !== 'PLAY_TTS') return { TTSLength: '', Content: '' };
  const text = `Your code, "${sessionId.slice(0, 4)}", expires today.`;
  const flow = { callflow: [{ action: 'playTTS', params: { text, language: 'en-GB' } }] };
  return { TTSLength: String(text.length), Content: JSON.stringify(flow, undefined, 1) };
}

function formatTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? '' : new Date(at).toISOString().replace('.000Z', 'Z');
}
