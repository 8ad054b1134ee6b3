import { describe, expect, it } from 'vitest';
import { newRecord, receivedSummary, type SessionRecord } from '../../../../functions/vss/record.ts';
import { CHARGE_QUERIES } from '../../../../infra/analytics/charges/charge-queries.ts';
import { DUCKDB } from '../../../../infra/analytics/dialect.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../charged.ts';
import { ask, exportOf } from '../exported.ts';

const session = (sessionId: string, callIds: readonly string[] = [], payload: object = {}): SessionRecord => {
  const details = Object.fromEntries(callIds.map((callId, i) => [`call${'ABC'[i]}`, { callId }]));
  return newRecord(
    receivedSummary(summaryOf(summaryBody({ sessionId, details, ...payload })), '2026-01-13T10:00:00.000Z'),
  );
};
const queries = Object.fromEntries(CHARGE_QUERIES.map(({ name, sql }) => [name, sql(DUCKDB)]));
const withQueries = (more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  ...queries,
  ...more,
});

describe('call_charges', () => {
  it('has the values of a row, with prices as decimals', async () => {
    const folder = await exportOf([]);
    writeCharges(folder, {
      rows: [
        chargeRow('a', 'a1', { MOS: '4.5', TTSLength: '12', SourceMCC: '001', UnitPriceCurrency: ' usd ' }),
      ],
    });
    const { rows } = await ask(folder, { charges: 'FROM call_charges' });

    expect(rows('charges')).toEqual([
      {
        session_id: 'a',
        call_id: 'a1',
        account_id: '8x8',
        sub_account_id: '8x8_test',
        export_day: '2026-01-13',
        total_price: '0.012000000000',
        currency: 'USD',
        unit_price: '0.012000000000',
        billing_unit: '60',
        billing_increment: '60+60',
        billed_seconds: '60',
        duration_seconds: '30',
        product: 'Voice Messaging',
        sip_status: '200',
        session_status: 'COMPLETED',
        call_status: 'COMPLETED',
        call_direction: 'OUTBOUND',
        call_type: 'PSTN',
        initiated_timestamp: '2026-01-13 08:26:58+00',
        connected_timestamp: '2026-01-13 08:27:03+00',
        disconnected_timestamp: '2026-01-13 08:27:33+00',
        source_country: 'Singapore',
        source_country_number: '65',
        source_operator: null,
        source_mcc: '001',
        source_mnc: null,
        destination_country: 'Philippines',
        destination_country_number: '63',
        destination_operator: null,
        destination_mcc: '515',
        destination_mnc: '02',
        tts_length: '12',
        mos: 4.5,
        raw_duration_seconds: '30',
        raw_billed_seconds: '60',
        raw_mos: 4.5,
        raw_total_price: '0.012',
        raw_unit_price: '0.012',
        charge_date: '2026-01-13',
      },
    ]);
  });

  it('leaves out numbers that are not readable or are implausible, and keeps their text', async () => {
    const folder = await exportOf([]);
    const values: [text: string, total: string | null][] = [
      ['-1.5', '-1.500000000000'],
      ['+.5', '0.500000000000'],
      ['0', '0.000000000000'],
      ['1E-05', '0.000010000000'],
      ['1.25e2', '125.000000000000'],
      ['999999999999.999999999999', '999999999999.999999999999'],
      ['0.0000000000005', '0.000000000001'],
      ['1000000000000', null],
      ['1e99', null],
      ['1,5', null],
      ['1_000', null],
      [' 1', null],
      ['free', null],
      ['', null],
      ['NaN', null],
    ];
    const priced = values.map(([text], i) => chargeRow('a', `${100 + i}`, { TotalPriceOfCall: text }));
    writeCharges(folder, {
      rows: [
        ...priced,
        chargeRow('b', '1', {
          UnitPriceCurrency: '',
          SipStatus: '99',
          MOS: '93',
          DurationInSec: '-5',
          BillableDurationInSec: '1e9',
        }),
      ],
    });
    const { rows } = await ask(folder, {
      prices: "SELECT raw_total_price, total_price FROM call_charges WHERE session_id = 'a' ORDER BY call_id",
      other: `SELECT total_price, raw_total_price, unit_price, raw_unit_price, currency, sip_status, mos, raw_mos,
        duration_seconds, raw_duration_seconds, billed_seconds, raw_billed_seconds FROM call_charges WHERE session_id = 'b'`,
    });

    expect(rows('prices').map((row) => [row['raw_total_price'], row['total_price']])).toEqual(values);
    expect(rows('other')).toEqual([
      {
        total_price: null,
        raw_total_price: '0.012',
        unit_price: null,
        raw_unit_price: '0.012',
        currency: null,
        sip_status: null,
        mos: null,
        raw_mos: 93,
        duration_seconds: null,
        raw_duration_seconds: '-5',
        billed_seconds: null,
        raw_billed_seconds: '1000000000',
      },
    ]);
  });

  it('has a leg of several files once, from the file of the newest day', async () => {
    const folder = await exportOf([]);
    writeCharges(folder, { day: '2026-01-14', rows: [chargeRow('a', '1', { TotalPriceOfCall: '2' })] });
    writeCharges(folder, {
      day: '2026-01-13',
      rows: [chargeRow('a', '1', { TotalPriceOfCall: '7' }), chargeRow('a', '2')],
    });
    writeCharges(folder, {
      day: '2026-01-13',
      subAccountId: 'a&b',
      rows: [chargeRow('a', '2'), chargeRow('a', '2')],
    });
    const { rows } = await ask(folder, {
      legs: 'SELECT call_id, total_price, export_day FROM call_charges ORDER BY call_id',
    });

    expect(rows('legs')).toEqual([
      { call_id: '1', total_price: '2.000000000000', export_day: '2026-01-14' },
      { call_id: '2', total_price: '0.012000000000', export_day: '2026-01-13' },
    ]);
  });

  it('takes the day from the time zone of the analyst', async () => {
    const folder = await exportOf([session('a')]);
    writeCharges(folder, { rows: [chargeRow('a', '1', { InitiatedAt: '2026-01-13T23:30:00.000Z' })] });
    const { rows } = await ask(
      folder,
      { before: 'SELECT charge_date, export_day FROM call_charges' },
      { timeZone: 'Asia/Singapore' },
    );

    expect(rows('before')).toEqual([{ charge_date: '2026-01-14', export_day: '2026-01-13' }]);
  });
});

describe('the views with charges', () => {
  it('have each leg and each session once, with the price if all of it is in one currency', async () => {
    const folder = await exportOf([
      session('a', ['a1', 'a2']),
      session('b', ['b1', 'b2']),
      session('c', ['c1']),
      session('d'),
    ]);
    writeCharges(folder, {
      rows: [
        chargeRow('a', 'a1'),
        chargeRow('a', 'a2', { TotalPriceOfCall: '0.988' }),
        chargeRow('b', 'b1', { UnitPriceCurrency: 'EUR' }),
        chargeRow('b', 'b2'),
        chargeRow('b', 'unrecorded', { TotalPriceOfCall: '' }),
        chargeRow('e', 'e1'),
      ],
    });
    const { rows } = await ask(folder, {
      legs: 'SELECT session_id, call_id, total_price, currency FROM call_legs_with_charges ORDER BY ALL',
      sessions: `SELECT session_id, total_price, currency, billed_seconds, charged_legs, priced_legs
        FROM sessions_with_charges ORDER BY session_id`,
    });

    expect(rows('legs')).toEqual([
      { session_id: 'a', call_id: 'a1', total_price: '0.012000000000', currency: 'USD' },
      { session_id: 'a', call_id: 'a2', total_price: '0.988000000000', currency: 'USD' },
      { session_id: 'b', call_id: 'b1', total_price: '0.012000000000', currency: 'EUR' },
      { session_id: 'b', call_id: 'b2', total_price: '0.012000000000', currency: 'USD' },
      { session_id: 'c', call_id: 'c1', total_price: null, currency: null },
    ]);
    expect(rows('sessions').map((row) => Object.values(row))).toEqual([
      ['a', '1.000000000000', 'USD', '120', '2', '2'],
      ['b', null, null, '180', '3', '2'],
      ['c', null, null, null, '0', '0'],
      ['d', null, null, null, '0', '0'],
    ]);
  });

  it('have no charges, and the queries no rows, without files of charges', async () => {
    const { rows, notices } = await ask(
      await exportOf([session('a', ['a1'])]),
      withQueries({
        legs: 'SELECT total_price FROM call_legs_with_charges',
        sessions: 'SELECT total_price, charged_legs FROM sessions_with_charges',
      }),
    );

    expect(rows('legs')).toEqual([{ total_price: null }]);
    expect(rows('sessions')).toEqual([{ total_price: null, charged_legs: '0' }]);
    for (const name of Object.keys(queries)) expect([name, rows(name)]).toEqual([name, []]);
    expect(notices).toEqual([]);
  });
});

describe('the saved queries', () => {
  it('list what the log export lacks, only for days that it has', async () => {
    const at = (startTime: string) => ({ startTime });
    const folder = await exportOf([
      session('both'),
      session('lacking'),
      session('other-day', [], at('2026-01-12T08:00:00Z')),
      session('at-midnight', [], at('2026-01-13T00:00:30Z')),
      session('no-start', [], { startTime: null }),
      session('other-sub-account', [], { subAccountId: 'another' }),
      newRecord(
        receivedSummary(
          summaryOf(summaryBody({ sessionId: 'rebuilt' })),
          '2026-01-14T10:00:00.000Z',
          'log-export',
        ),
      ),
    ]);
    writeCharges(folder, {
      rows: [chargeRow('both', '1'), chargeRow('unknown', '1'), chargeRow('unknown', '2')],
    });
    const { rows } = await ask(
      folder,
      withQueries({
        reconstructed: 'SELECT session_id FROM sessions WHERE reconstructed_from IS NOT NULL',
      }),
    );

    expect(rows('not-in-log-export')).toMatchObject([{ session_id: 'lacking', leg_count: '0' }]);
    expect(rows('not-recorded')).toMatchObject([{ session_id: 'unknown', legs: '2' }]);
    expect(rows('reconstructed')).toEqual([{ session_id: 'rebuilt' }]);
  });

  it('never add prices in different currencies, and count legs without a price', async () => {
    const folder = await exportOf([]);
    writeCharges(folder, {
      rows: [
        chargeRow('a', '1'),
        chargeRow('a', '2', {
          TotalPriceOfCall: '-0.002',
          ConnectedAt: '',
          DurationInSec: '0',
          CallStatus: 'FAILED',
          SipStatus: '503',
        }),
        chargeRow('a', '3', { TotalPriceOfCall: 'free' }),
        chargeRow('a', '4', { UnitPriceCurrency: 'EUR', Product: 'IVR' }),
        chargeRow('a', '5', { UnitPriceCurrency: '' }),
      ],
    });
    const { rows } = await ask(folder, queries);
    const prices = (name: string) =>
      rows(name).map((row) => [row['currency'], row['legs'], row['priced_legs'], row['total_price']]);
    const expected = [
      ['USD', '3', '2', '0.010000000000'],
      ['EUR', '1', '1', '0.012000000000'],
      [null, '1', '0', null],
    ];

    expect(prices('cost-by-country-and-day')).toEqual(expected);
    expect(prices('cost-by-product').toSorted()).toEqual(expected.toSorted());
    expect(rows('cost-per-answered-minute')).toMatchObject([
      {
        currency: 'USD',
        legs: '2',
        answered_legs: '1',
        answered_seconds: '30',
        cost_per_minute: '0.020000000000',
      },
      { currency: 'EUR', cost_per_minute: '0.024000000000' },
    ]);
    expect(rows('sip-codes-of-failures')).toMatchObject([
      { sip_status: '503', call_status: 'FAILED', legs: '1', sessions: '1' },
    ]);
  });
});
