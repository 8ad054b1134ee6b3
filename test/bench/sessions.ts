import { toItem } from '../../functions/recorder/item.ts';
import { merge, newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { canonicalise, type Summary } from '../../functions/vss/summary.ts';
import { randomFrom } from '../random.ts';

/** Values with their relative frequencies. */
type Weighted<T> = readonly (readonly [value: T, weight: number])[];

const COUNTRIES: Weighted<string> = [
  ['SG', 30],
  ['ID', 22],
  ['PH', 18],
  ['MY', 10],
  ['TH', 8],
  ['VN', 6],
  ['US', 4],
  ['GB', 2],
];

/** The shift of the call quality (MOS) by destination country. */
const QUALITY: Readonly<Record<string, number>> = { SG: 0.1, ID: -0.25, PH: -0.15, VN: -0.4, US: 0.1, GB: 0 };

const STATUSES: Weighted<string> = [
  ['COMPLETED', 740],
  ['NO_ANSWER', 120],
  ['BUSY', 60],
  ['CANCELED', 20],
  ['FAILED', 12],
  ['ERROR', 38],
  ['COMPLETED_UNSUBSCRIBED', 6],
  ['COMPLETED_UNSUB_ERROR', 1],
  ['UNSUBSCRIBED_CONTACT', 3],
];

const ERRORS: Weighted<readonly [code: number, message: string]> = [
  [[-2004, 'No coverage available for requested area'], 40],
  [[-2007, 'The validity period of the call flow request has expired'], 20],
  [[-2010, 'The trunk capacity has been exceeded'], 20],
  [[-2003, 'The call flow provided is invalid'], 12],
  [[-2001, 'An internal error has occurred'], 6],
  [[-9999, 'An unknown error has occurred'], 2],
];

/** Relative traffic by hour (UTC): a working day in South East Asia. */
const HOURS: Weighted<number> = [
  5, 8, 10, 10, 9, 8, 9, 10, 10, 9, 7, 5, 4, 3, 2, 1.5, 1, 0.7, 0.5, 0.4, 0.4, 0.6, 1, 3,
].map((weight, hour) => [hour, weight] as const);

const DAYS = 30;
const DAY = 86_400_000;

/**
 * Generates session records in the format of DynamoDB's exports, with realistic distributions over the thirty days before
 * `until` (milliseconds since 1970): traffic by hour and weekday, outcomes, errors, countries, one or two legs, talk
 * times, call quality by route, a few conflicts and unrecognised fields. The same seed gives the same records.
 */
export function* generateItems(count: number, until: number, seed = 1): Generator<string> {
  const random = randomFrom(seed);
  const pick = <T>(weighted: Weighted<T>): T => choose(weighted, random());
  /** A normal distribution with the standard deviation 1. */
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const hex = (length: number) =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  const id = () => `${hex(8)}-${hex(4)}-11f0-${hex(4)}-${hex(12)}`;
  const number = (country: string) => `+${country === 'US' ? 1 : 65}${Math.floor(1e9 + random() * 9e9)}`;
  const lastMidnight = Math.floor(until / DAY) * DAY;

  for (let i = 0; i < count; i++) {
    let day = lastMidnight - DAY * (1 + Math.floor(random() * DAYS));
    // Half of the traffic of a weekend is moved to two days earlier.
    if (new Date(day).getUTCDay() % 6 === 0 && day > lastMidnight - DAY * (DAYS - 2) && random() < 0.5)
      day -= 2 * DAY;
    const start = day + pick(HOURS) * 3_600_000 + Math.floor(random() * 3_600_000);
    const status = pick(STATUSES);
    const [errorCode, errorMsg] = pick(ERRORS);
    const isAnswered = status.startsWith('COMPLETED') || (status === 'BUSY' && random() < 0.3);
    const legCount = status !== 'ERROR' && random() < 0.35 ? 2 : 1;
    let at = start;
    const leg = (name: string, country: string) => {
      const isLast = name === 'callB' || legCount === 1;
      const connected = isAnswered && (status !== 'BUSY' || !isLast);
      const ring = 1_000 * (2 + Math.floor(random() * 20));
      const talk = connected ? Math.max(1, Math.round(Math.exp(3.4 + 1.1 * normal()))) : 0;
      const initiated = at;
      at += ring;
      const mos = Math.min(4.5, Math.max(1.2, 4.25 + (QUALITY[country] ?? 0) - 0.35 * Math.abs(normal())));
      return {
        callId: id(),
        callDirection: 'OUTBOUND',
        callType: 'PSTN',
        initiatedTimestamp: instant(initiated),
        ...(connected && { connectedTimestamp: instant(initiated + ring) }),
        disconnectedTimestamp: instant(initiated + ring + 1_000 * talk),
        source: number('SG'),
        destination: number(country),
        sourceFormat: 'MSISDN',
        destinationFormat: 'MSISDN',
        sourceCountryCode: 'SG',
        destinationCountryCode: country,
        sourceRefId: `trunk-${1 + Math.floor(random() * 5)}`,
        callStatus: connected ? 'COMPLETED' : status.replace(/^COMPLETED.*/, 'NO_ANSWER'),
        callDuration: talk,
        ...(connected && {
          callQuality: {
            mos: Number(mos.toFixed(1)),
            packetLossRate: Number((0.01 * random() ** 3).toFixed(4)),
            jitter: Math.round(8 + 12 * random() ** 2 * (5 - mos)),
          },
        }),
      };
    };
    const details = {
      callA: leg('callA', pick(COUNTRIES)),
      ...(legCount === 2 && { callB: leg('callB', pick(COUNTRIES)) }),
    };
    const legs = Object.values(details);
    const end = Math.max(...legs.map(({ disconnectedTimestamp }) => Date.parse(disconnectedTimestamp)));
    const payload = {
      sessionId: id(),
      subAccountId: random() < 0.7 ? 'acme_voice' : 'acme_masking',
      sessionStatus: status,
      startTime: instant(start),
      endTime: instant(end),
      lastAction: legCount === 2 ? 'MAKE_CALL' : 'SAY',
      callCount: legCount,
      ...(random() < 0.2 && { clientRequestId: `campaign-${Math.floor(random() * 40)}` }),
      ...(status === 'ERROR' && { errorDetails: { errorCode, errorMsg } }),
      ...(random() < 0.01 && { dtmf: String(Math.floor(random() * 10)) }),
      details,
    };
    const received = instant(end + 500 + Math.floor(random() * 3_000));
    let record = newRecord(receivedSummary(read(payload), received));
    if (random() < 0.002) {
      const other = { ...payload, endTime: instant(end + 1_000), lastAction: 'HANGUP' };
      record = merge(record, newRecord(receivedSummary(read(other), received)));
    }
    yield JSON.stringify(toItem(record));
  }
}

function read(payload: { [key: string]: string | number | object | undefined }): Summary {
  const body = JSON.stringify({ namespace: 'VOICE', eventType: 'SESSION_SUMMARY', version: 5, payload });
  const canonical = canonicalise(JSON.parse(body));
  if (canonical.outcome !== 'summary') throw new Error(`A generated delivery is ${canonical.outcome}`);
  return canonical.summary;
}

/** 8x8 sends whole seconds. */
const instant = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

function choose<T>(weighted: Weighted<T>, random: number): T {
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random * total;
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  throw new Error('No value to choose from');
}
