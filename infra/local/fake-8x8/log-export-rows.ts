import { chargesOf, chosen } from './charges.ts';
import { COUNTRIES } from './countries.ts';
import type { LogExportSwitches } from './log-export-switches.ts';
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
  disconnected: number;
}

type RowSwitches = Pick<
  LogExportSwitches,
  'timeFormat' | 'masked' | 'plus' | 'countryCode' | 'currencies' | 'legless'
> & { isReRated: boolean };

/** The rows of a session: one per leg. What a summary does not contain depends only on the ids. */
export function rowsOf(session: Session, switches: RowSwitches): Row[] {
  const legs = Object.values(session.details ?? {});
  if (legs.length === 0 && switches.legless === 'present') return [rowOf(session, {}, switches)];
  return legs.map((leg) => rowOf(session, leg, switches));
}

function rowOf(session: Session, leg: Leg, switches: RowSwitches): Row {
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
      ...endOf('Source', leg, leg.source, leg.sourceCountryCode, switches),
      ...endOf('Destination', leg, leg.destination, leg.destinationCountryCode, switches),
      InitiatedAt: formatTime(initiatedAt, switches.timeFormat),
      ConnectedAt: formatTime(leg.connectedTimestamp ?? '', switches.timeFormat),
      DisconnectedAt: formatTime(disconnectedAt, switches.timeFormat),
      DurationInSec: String(callDuration),
      Product: chosen(session.sessionId, PRODUCTS),
      ...chargesOf(callId, callDuration, switches),
      CallType: leg.callType ?? '',
      SipStatus: SIP_STATUS.get(status) ?? '',
      SessionStatus: session.sessionStatus ?? '',
      CallStatus: status,
      ...speechOf(session),
      MOS: String(leg.callQuality?.mos ?? ''),
    },
    initiated: Date.parse(initiatedAt),
    disconnected: Date.parse(disconnectedAt),
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
  { masked, plus, countryCode: codes }: RowSwitches,
) {
  const country = COUNTRIES.get(countryCode ?? '');
  const isOutside = (callDirection?.toUpperCase() === 'INBOUND') === (end === 'Source');
  const operator = isOutside && country ? country : undefined;
  const endpoint = masked ? (number ?? '').replace(/\d{4}$/, '****') : (number ?? '');
  return {
    [`${end}CountryCode`]: (codes === 'calling' ? country?.callingCode : country?.isoNumeric) ?? '',
    [`${end}Country`]: country?.name ?? '',
    [`${end}Operator`]: operator ? chosen(callId, OPERATORS) : '',
    [`${end}MCC`]: operator?.mobileCountryCode ?? '',
    [`${end}MNC`]: operator ? chosen(callId, ['01', '02', '03']) : '',
    [`${end}Endpoint`]: plus ? endpoint : endpoint.replace(/^\+/, ''),
  };
}

/** Text that was spoken, and the call flow of a campaign, which is JSON with commas, quotation marks and line breaks. */
function speechOf({ lastAction, sessionId }: Session) {
  if (lastAction?.toUpperCase() !== 'PLAY_TTS') return { TTSLength: '', Content: '' };
  const text = `Your code, "${sessionId.slice(0, 4)}", expires today.`;
  const flow = { callflow: [{ action: 'playTTS', params: { text, language: 'en-GB' } }] };
  return { TTSLength: String(text.length), Content: JSON.stringify(flow, undefined, 1) };
}

/** Times are written in UTC, or with the offset of Singapore. */
function formatTime(time: string, format: LogExportSwitches['timeFormat']): string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return '';
  const utc = withoutZone(at);
  return {
    z: `${utc}Z`,
    offset: `${withoutZone(at + 8 * 3_600_000)}+08:00`,
    none: utc,
    space: utc.replace('T', ' '),
  }[format];
}

function withoutZone(at: number): string {
  return new Date(at).toISOString().replace('.000Z', '').replace('Z', '');
}
