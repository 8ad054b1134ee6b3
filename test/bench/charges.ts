import * as v from 'valibot';
import { type ChargeRow, chargeRow } from '../infra/analytics/charged.ts';
import { randomFrom } from '../random.ts';

const Text = v.pipe(
  v.object({ S: v.string() }),
  v.transform(({ S }) => S),
);
const Leg = v.object({
  callId: Text,
  destinationCountryCode: Text,
  initiatedTimestamp: Text,
  connectedTimestamp: v.optional(Text),
  disconnectedTimestamp: Text,
  callStatus: Text,
  callDuration: v.object({ N: v.string() }),
});
const Item = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    sessionId: Text,
    subAccountId: Text,
    sessionStatus: v.optional(Text),
    legs: v.optional(v.object({ L: v.array(v.object({ M: Leg })) }), { L: [] }),
  }),
);

/** The price per minute by country, in US dollars; 8x8 charges Singapore in its own currency here. */
const PRICES: Readonly<Record<string, readonly [price: number, currency: string]>> = {
  SG: [0.0165, 'SGD'],
  ID: [0.0312, 'USD'],
  PH: [0.1432, 'USD'],
  US: [0.0089, 'USD'],
};
const SIP_CODES: Readonly<Record<string, readonly string[]>> = {
  COMPLETED: ['200'],
  NO_ANSWER: ['480', '408'],
  BUSY: ['486'],
  CANCELED: ['487'],
};
const FAILURES = ['503', '404', '403', '500'];
const REGIONS = new Intl.DisplayNames('en', { type: 'region' });

/** The rows that 8x8's log export would have for generated items, by day and sub-account. */
export function chargesOf(items: Iterable<string>, seed = 1) {
  const random = randomFrom(seed);
  const files = new Map<string, { day: string; subAccountId: string; rows: ChargeRow[] }>();
  for (const text of items) {
    const { sessionId, subAccountId, sessionStatus = 'ERROR', legs } = v.parse(Item, text);
    // One in a thousand sessions is missing.
    if (random() < 0.001) continue;
    for (const { M: leg } of legs.L) {
      const [price, currency] = PRICES[leg.destinationCountryCode] ?? [0.0725, 'USD'];
      const billed = Math.ceil(Number(leg.callDuration.N) / 60) * 60;
      const codes = SIP_CODES[leg.callStatus] ?? FAILURES;
      const time = (at: string) => new Date(at).toISOString();
      const row = chargeRow(sessionId, leg.callId, {
        SubAccountId: subAccountId,
        DestinationCountry: REGIONS.of(leg.destinationCountryCode) ?? '',
        InitiatedAt: time(leg.initiatedTimestamp),
        ConnectedAt: leg.connectedTimestamp === undefined ? '' : time(leg.connectedTimestamp),
        DisconnectedAt: time(leg.disconnectedTimestamp),
        DurationInSec: leg.callDuration.N,
        BillableDurationInSec: String(billed),
        Product: subAccountId === 'acme_voice' ? 'Voice Messaging' : 'Number Masking',
        UnitPrice: String(price),
        UnitPriceCurrency: currency,
        TotalPriceOfCall: ((price * billed) / 60).toFixed(6),
        SipStatus: codes[Math.floor(random() * codes.length)] ?? '',
        SessionStatus: sessionStatus,
        CallStatus: leg.callStatus,
      });
      const day = time(leg.initiatedTimestamp).slice(0, 10);
      const key = `${day} ${subAccountId}`;
      const file = files.get(key) ?? { day, subAccountId, rows: [] };
      file.rows.push(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '')));
      files.set(key, file);
    }
  }
  return [...files.values()];
}
