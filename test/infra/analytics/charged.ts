import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ChargeField } from '../../../infra/analytics/charges/charge-fields.ts';

/** A row in a file of charges. */
export type ChargeRow = Partial<Record<ChargeField, string>>;

/** A row of a leg that was answered for 30 seconds, at a price of 0.012 USD. */
export function chargeRow(sessionId: string, callId: string, other: ChargeRow = {}): ChargeRow {
  return {
    SessionId: sessionId,
    CallId: callId,
    AccountId: '8x8',
    SubAccountId: '8x8_test',
    Direction: 'OUTBOUND',
    SourceCountryCode: '65',
    SourceCountry: 'Singapore',
    DestinationCountryCode: '63',
    DestinationCountry: 'Philippines',
    DestinationMCC: '515',
    DestinationMNC: '02',
    InitiatedAt: '2026-01-13T08:26:58.000Z',
    ConnectedAt: '2026-01-13T08:27:03.000Z',
    DisconnectedAt: '2026-01-13T08:27:33.000Z',
    DurationInSec: '30',
    Product: 'Voice Messaging',
    BillingUnit: '60',
    BillingIncrement: '60+60',
    BillableDurationInSec: '60',
    UnitPrice: '0.012',
    UnitPriceCurrency: 'USD',
    TotalPriceOfCall: '0.012',
    CallType: 'PSTN',
    SipStatus: '200',
    SessionStatus: 'COMPLETED',
    CallStatus: 'COMPLETED',
    ...other,
  };
}

/** Writes the rows of a day and a sub-account, as the reconciliation function does, and returns the path of the file. */
export function writeCharges(
  folder: string,
  {
    day = '2026-01-13',
    subAccountId = '8x8_test',
    rows,
  }: { day?: string; subAccountId?: string; rows: readonly object[] },
): string {
  const path = join(folder, 'charges', day, `${subAccountId.replaceAll('&', '(amp)')}.json.gz`);
  mkdirSync(join(folder, 'charges', day), { recursive: true });
  writeFileSync(path, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
  return path;
}
