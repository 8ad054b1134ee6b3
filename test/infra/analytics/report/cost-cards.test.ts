import { describe, expect, it } from 'vitest';
import { COST_CARDS } from '../../../../infra/analytics/report/cost-cards.ts';
import { ERROR_CARDS } from '../../../../infra/analytics/report/error-cards.ts';
import { cardsOf, pageOf, times } from './report-of.ts';

/** What calls cost is stated with exact amounts, for all days with charges, and with what is missing in them. */

const on = (day: string, more: object = {}) => ({ charge_date: day, export_day: day, ...more });

describe('the cards of costs', () => {
  it('state the legs without a readable price in correct grammar for one and for several', async () => {
    const free = { total_price: null };
    const one = await cardsOf(COST_CARDS, { call_charges: [{}, free] });
    const two = await cardsOf(COST_CARDS, { call_charges: [{}, free, free] });

    expect(one.text('What calls cost')).toContain('1 leg cost 0.01 USD. Of 2 legs, 1 has no readable price.');
    expect(two.text('What calls cost')).toContain('Of 3 legs, 2 have no readable price.');
    const { titles, text } = await cardsOf(COST_CARDS, { call_charges: [free] });
    expect(titles).toEqual(['What calls cost']);
    expect(text('What calls cost')).toContain('No leg has a readable price.');
  });

  it('show the days with charges and without sessions, and name the most expensive one among them', async () => {
    const { text } = await cardsOf(COST_CARDS, {
      sessions: [{}],
      call_charges: [
        on('2026-01-10', { total_price: 7 }),
        on('2026-01-13', { total_price: 2 }),
        on('2026-01-14', { total_price: 3 }),
      ],
    });

    expect(text('Cost over time in USD')).toContain('The most expensive day is 10 Jan, with 7.00 USD.');
    expect(text('Cost over time in USD')).toContain(
      '2026-01-10 7.00 1 2026-01-11 0.00 0 2026-01-12 0.00 0 2026-01-13 2.00 1 2026-01-14 3.00 1',
    );
  });

  it('state the cost of legs whose day is implausible, and leave it out of the chart', async () => {
    const { text } = await cardsOf(COST_CARDS, {
      call_charges: [{}, { charge_date: '1970-01-01', total_price: 5 }],
    });

    expect(text('Cost over time in USD')).toContain(
      'The most expensive day is 13 Jan, with 0.01 USD. The chart excludes 5.00 USD of 1 leg with an implausible or too old day.',
    );
    expect(text('Cost over time in USD')).toContain('2026-01-13 0.01 1 Not in the chart 5.00 1');
  });

  it('mark the day of a damaged file, and the day that the files of UTC days do not cover', async () => {
    const lack = { data: 'charges', from: '2026-11-12', to: '2026-11-12', text: 'Damaged.' } as const;
    const { text } = await cardsOf(
      COST_CARDS,
      {
        call_charges: [
          on('2026-11-11'),
          on('2026-11-14'),
          { charge_date: '2026-11-15', export_day: '2026-11-14' },
        ],
      },
      { timeZone: 'Asia/Singapore', incomplete: [lack] },
    );

    expect(text('Cost over time in USD')).toContain(
      '2026-11-11 0.01 1 2026-11-12 (incomplete) 0.00 0 2026-11-13 (incomplete) 0.00 0',
    );
    expect(text('Cost over time in USD')).toContain('2026-11-14 0.01 1 2026-11-15 (incomplete) 0.01 1');
    expect(text('Cost over time in USD')).toContain(
      '* Incomplete: data is missing, as stated above; the data ends at 2026-11-15 08:00.',
    );
  });

  it('leave the other countries out of the chart, and keep them in the table', async () => {
    const { text } = await cardsOf(COST_CARDS, {
      call_charges: Array.from({ length: 15 }, (_, i) => ({
        destination_country: `Country ${String.fromCharCode(65 + i)}`,
        total_price: 1 + i,
      })),
    });

    expect(text('Cost by country in USD')).toContain('Only in the table: 3 others (6.00).');
    expect(text('Cost by country in USD')).toContain('3 others 6.00 3 1 min 30 s 4.0000');
  });

  it('name a product and a country that are missing', async () => {
    const { text } = await cardsOf(COST_CARDS, {
      call_charges: [{ product: null, destination_country: null }],
    });

    expect(text('Cost by product in USD')).toContain('Unknown costs the most: 0.01 USD.');
    expect(text('Cost by country in USD')).toContain('Unknown costs the most: 0.01 USD.');
  });
});

describe('the card of SIP codes', () => {
  it('states the most frequent code of failed legs', async () => {
    const { text } = await cardsOf(ERROR_CARDS, {
      call_charges: [
        ...times(3, 'a', { call_status: 'FAILED', sip_status: 486 }),
        ...times(1, 'b', { call_status: 'ERROR', sip_status: null }),
        ...times(9, 'c', { sip_status: 200 }),
      ],
    });

    expect(text('SIP codes of failures')).toContain(
      'Of 4 failed legs, 75.0% ended with the most frequent code: 486 Busy Here.',
    );
    expect(text('SIP codes of failures')).toContain('486 Busy Here 3 no code 1');
  });
});

describe('the key figure of costs', () => {
  const figure = async (call_charges: Parameters<typeof pageOf>[0]['call_charges'], to?: string) => {
    const page = await pageOf(
      { sessions: [{}], ...(call_charges && { call_charges }) },
      { scope: { from: '2026-01-13', to } },
    );
    return /<dt>Cost.*?<\/div>/.exec(page)?.[0];
  };

  it('is the sum in the currency of most legs, with the other currencies beside it', async () => {
    expect(
      await figure(
        [...times(3, 'a', { total_price: 1.255 }), { currency: 'SGD', total_price: 9 }],
        '2026-01-13',
      ),
    ).toBe('<dt>Cost in USD</dt><dd class="value">3.77</dd><dd class="note">and 9.00 SGD</dd></div>');
  });

  it('states the last day with charges if the report covers later ones', async () => {
    expect(await figure([{}], '2026-01-15')).toContain('<dd class="note">until 2026-01-13</dd>');
  });

  it('is left out without charges', async () => {
    expect(await figure(undefined)).toBeUndefined();
  });
});
