import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../../functions/vss/error-codes.ts';
import { DATA_CARDS } from '../../../../infra/analytics/report/data-cards.ts';
import { ERROR_CARDS } from '../../../../infra/analytics/report/error-cards.ts';
import { OUTCOME_CARDS } from '../../../../infra/analytics/report/outcome-cards.ts';
import { QUALITY_CARDS } from '../../../../infra/analytics/report/quality-cards.ts';
import { USAGE_CARDS } from '../../../../infra/analytics/report/usage-cards.ts';
import { cardsOf, started, times, undated } from './report-of.ts';

/** Each card of the report states the right numbers, whatever the rows are, and says what it leaves out. */

const failed = { session_status: 'FAILED', outcome: 'failed' };
const busy = { session_status: 'BUSY', outcome: 'unanswered' };
const unknown = { session_status: null, outcome: 'other', is_incomplete: true, ...undated };

describe('the cards of outcomes', () => {
  it('compare the failure rates of countries with at least thirty sessions', async () => {
    const to = (country: string, all: number, failures: number) => [
      ...times(failures, `${country}-failed`, { country, ...failed }),
      ...times(all - failures, country, { country }),
    ];
    const { text } = await cardsOf(OUTCOME_CARDS, {
      sessions: [...to('SG', 30, 3), ...to('DE', 31, 2), ...to('FR', 2, 2)],
    });

    expect(text('Outcomes by country')).toContain('Singapore, 10.0% of 30 sessions.');
    expect(text('Outcomes by country')).toContain('Germany DE 31 29 2 93.5% 6.5%');
  });

  it('leave the other countries out of the chart, whose scale they would set, and keep them in the table', async () => {
    const { text, markup } = await cardsOf(OUTCOME_CARDS, {
      sessions: Array.from({ length: 240 }, (_, i) => ({
        session_id: `s${i}`,
        country: String.fromCharCode(65 + (i % 20), 65 + Math.floor(i / 20)),
      })),
    });

    expect(text('Outcomes by country')).toContain('Only in the table: 228 others (228).');
    expect(text('Outcomes by country')).toContain('228 others 228 228 100.0% 0.0%');
    expect(markup).not.toContain('<title>228 others');
  });

  it('show sub-accounts if there are several, and say how many are not shown', async () => {
    const one = { session_id: 'a' };
    const two = { session_id: 'b', sub_account_id: 'other', ...busy };
    const many = Array.from({ length: 13 }, (_, i) => ({ sub_account_id: `account${i}` }));

    expect((await cardsOf(OUTCOME_CARDS, { sessions: [one] })).titles).not.toContain(
      'Outcomes by sub-account',
    );
    const few = await cardsOf(OUTCOME_CARDS, { sessions: [one, two] });
    expect(few.text('Outcomes by sub-account')).toContain('8x8_test 1 1 0 100.0% other 1 0 1 0.0%');
    const all = await cardsOf(OUTCOME_CARDS, { sessions: many });
    expect(all.text('Outcomes by sub-account')).toContain('The chart shows 12 of 13.');
  });

  it('name a sub-account without an id', async () => {
    const { text } = await cardsOf(OUTCOME_CARDS, {
      sessions: [...times(2, 'a', { sub_account_id: '' }), { sub_account_id: 'other' }],
    });

    expect(text('Outcomes by sub-account')).toContain('(empty) has the most sessions: 2 sessions.');
  });

  it('state the lowest and the last rate with the number of sessions behind each', async () => {
    const { text } = await cardsOf(OUTCOME_CARDS, {
      sessions: [
        { ...started('2026-01-12') },
        { ...started('2026-01-12'), ...busy },
        ...times(18, 'b', started('2026-01-13')),
      ],
    });

    expect(text('Answer rate')).toContain(
      'The lowest day is 12 Jan with 50.0%, of 2 sessions; the last one is 13 Jan with 100.0%, of 18 sessions.',
    );
    expect(text('Outcomes over time')).toContain('The busiest day was 13 Jan, with 18 sessions.');
  });

  it('mark a day that has just begun, and do not compare its rate with that of whole days', async () => {
    const { text, markup } = await cardsOf(OUTCOME_CARDS, {
      sessions: [
        ...times(20, 'a', started('2026-11-19')),
        ...times(20, 'b', started('2026-11-20')),
        { ...started('2026-11-21', 1), ...busy },
      ],
    });

    expect(text('Outcomes over time')).toContain('19 Nov 20 Nov 21 Nov*');
    expect(text('Outcomes over time')).toContain('* Incomplete: the data ends at 2026-11-21 02:00.');
    expect(text('Outcomes over time')).toContain('2026-11-20 20 0 2026-11-21 (incomplete) 0 1');
    expect(text('Answer rate')).toContain(
      'The lowest complete day is 19 Nov with 100.0%, of 20 sessions; the last one is 20 Nov',
    );
    expect(text('Answer rate')).toContain('* Incomplete: the data ends at 2026-11-21 02:00.');
    expect(markup).toMatch(/<path[^>]*fill-opacity="0.45"[^>]*><title>21 Nov\*, Unanswered: 1<\/title>/);
  });

  it.each([
    { first: '2025-10-30', unit: 'Day', count: 76 },
    { first: '2025-01-30', unit: 'Week starting', count: 51 },
    { first: '2020-01-30', unit: 'Month starting', count: 73 },
    { first: '2016-02-01', unit: 'Year starting', count: 11 },
  ])('group the sessions since $first into $count rows under "$unit"', async ({ first, unit, count }) => {
    const { markup, text } = await cardsOf(OUTCOME_CARDS.slice(0, 1), {
      sessions: [{ session_id: 'a' }, { session_id: 'b', ...started(first) }],
    });

    expect(markup).toContain(`<thead><tr><th scope="col">${unit}</th>`);
    expect(markup.match(/<th scope="row">/g)).toHaveLength(count);
    expect(text('Outcomes over time')).not.toContain('Not in the chart');
  });

  it('state how many sessions have no plausible start, and show them only in the table', async () => {
    const { text } = await cardsOf(OUTCOME_CARDS, {
      sessions: [{}, ...times(3, 'u', unknown)],
    });

    expect(text('Outcomes over time')).toContain(
      'The chart excludes 3 sessions with a missing, implausible or too old start date.',
    );
    expect(text('Outcomes over time')).toContain('2026-01-13 1 0 Not in the chart 0 3');
    expect(text('Outcomes by country')).toContain('Unknown 4 1 3');
    const none = await cardsOf(OUTCOME_CARDS, { sessions: [unknown] });
    expect(none.text('Outcomes over time')).toContain('No session has a plausible start date.');
    expect(none.titles).toEqual(['Outcomes over time', 'Outcomes by country']);
  });

  it('show each value on hover', async () => {
    const { markup } = await cardsOf(OUTCOME_CARDS, { sessions: [{}, busy] });

    expect(markup).toMatch(/<path[^>]*><title>13 Jan, Answered: 1<\/title><\/path>/);
  });
});

describe('the cards of errors', () => {
  const error = (error_code: number, more: object = {}) => ({ ...failed, error_code, ...more });

  it('count the errors in which a retry can help', async () => {
    const { text } = await cardsOf(ERROR_CARDS, { sessions: [error(-2010), error(-2004), error(-2004)] });

    expect(text('Errors')).toContain('A retry can help in 33.3% of the sessions with an error.');
    expect(text('Errors')).toContain('-2010 The trunk capacity has been exceeded 1 yes');
  });

  it('count a session once if two of its legs have the same error', async () => {
    const leg = { session_id: 'a', error_code: -2010, error_msg: 'The trunk capacity has been exceeded' };
    const { text } = await cardsOf(ERROR_CARDS, {
      sessions: [{ session_id: 'a' }, { session_id: 'b', error_code: -2003 }],
      call_legs: [leg, leg],
    });

    expect(text('Errors')).toContain('-2010 The trunk capacity has been exceeded 1 yes');
    expect(text('Errors')).toContain('A retry can help in 50.0% of the sessions with an error.');
  });

  it('list every documented error, even among many undocumented ones', async () => {
    const { text } = await cardsOf(ERROR_CARDS, {
      sessions: [
        ...Array.from({ length: 40 }, (_, i) => error(i % 20)),
        ...[...ERROR_CODES.keys()].map((code) => error(code)),
      ],
    });

    for (const { message } of ERROR_CODES.values()) expect(text('Errors')).toContain(message);
    expect(text('Errors')).toContain('Only in the table: 19 other codes (38).');
    expect(text('Errors')).toContain('19 other codes 38 ?');
  });

  it('show an undocumented error as unknown, and mask phone numbers, ids and e-mail addresses in its message', async () => {
    const id = '4dcc3126-84e4-11f0-edaa-36434ef2510c';
    const { text, markup } = await cardsOf(ERROR_CARDS, {
      sessions: [
        error(-7, { error_msg: 'Something new' }),
        error(-8, { error_msg: `+65 9123 4567 does not answer in ${id}` }),
        error(77, { error_msg: 'Contact jane.doe+x@mail.example.com now' }),
      ],
    });

    expect(text('Errors')).toContain('-7 Something new 1 ?');
    expect(text('Errors')).toContain('+(number) does not answer in (id)');
    expect(text('Errors')).toContain('Contact (e-mail) now');
    expect(markup).not.toMatch(/9123 ?45|4dcc3126|jane/);
  });

  it('say how many countries are left out, and have no columns without a value', async () => {
    const countries = ['DE', 'FR', 'IT', 'ES', 'PT', 'NL', 'BE', 'AT', 'CH'];
    const { text } = await cardsOf(ERROR_CARDS, {
      sessions: [
        ...countries.flatMap((country) => [error(-2004, { country }), error(-2004, { country })]),
        error(-2010, { country: 'GB' }),
      ],
    });

    expect(text('Errors by country')).toContain('2 of 19 sessions. The chart shows 8 of 10 countries.');
    expect(text('Errors by country')).not.toContain('-2010');
  });
});

describe('the cards of call quality', () => {
  const leg = (mos: number, more: object = {}) => ({
    mos,
    mos_band: mos >= 4.3 ? 'excellent' : mos >= 3.1 ? 'poor' : 'bad',
    ...more,
  });

  it('say how good calls are, and count a score below the band that it just misses', async () => {
    const { text } = await cardsOf(QUALITY_CARDS, {
      call_legs: [...times(18, 'a', leg(4.3)), leg(3.29), leg(2)],
    });

    expect(text('Call quality')).toContain(
      '90.0% of 20 scored legs were good or excellent, 10.0% poor or bad.',
    );
    expect(text('Call quality')).toContain('3.2 Poor 1 4.3 Excellent 18');
  });

  it('rank the routes with at least thirty scored legs by their mean', async () => {
    const route = (to: string, mos: number) =>
      times(30, to, leg(mos, { route: `SG-${to}`, source_country_code: 'SG', destination_country_code: to }));
    const { text } = await cardsOf(QUALITY_CARDS, {
      call_legs: [...route('DE', 4.3), ...route('FR', 3.5), ...route('IT', 1).slice(1)],
    });

    expect(text('Worst routes')).toContain('SG-FR is the worst route, with a mean MOS of 3.50 over 30 legs.');
    expect(text('Worst routes')).toContain('SG-DE Singapore Germany 4.30 30 100.0% 0.0%');
    expect(text('Worst routes')).not.toContain('SG-IT');
  });

  it('draw an axis with a span, although the mean is the same each day', async () => {
    const { text } = await cardsOf(QUALITY_CARDS, {
      sessions: [started('2026-01-12'), started('2026-01-14')],
      call_legs: [leg(4.2, started('2026-01-12')), leg(4.2, started('2026-01-14'))],
    });

    expect(text('Mean MOS over time')).toContain('4.00 4.10 4.20 4.30 4.40 12 Jan');
    expect(text('Mean MOS over time')).toContain('2026-01-12 4.20 1 2026-01-13 – 0 2026-01-14 4.20 1');
  });

  it('have no mean over time without a scored leg of a known day', async () => {
    const sessions = [started('2026-01-12'), started('2026-01-13')];

    expect((await cardsOf(QUALITY_CARDS, { sessions, call_legs: [leg(1, undated)] })).titles).toEqual([
      'Call quality',
    ]);
    const { text } = await cardsOf(QUALITY_CARDS, { sessions, call_legs: [leg(1, undated), leg(1)] });
    expect(text('Mean MOS over time')).toContain(
      'The lowest day is 13 Jan with 1.00, of 1 leg; the last one is 13 Jan with 1.00, of 1 leg.',
    );
  });

  it('state the median and the 95th percentile of what was measured', async () => {
    const legs = Array.from({ length: 20 }, (_, i) => ({ ring_seconds: i + 1, packet_loss_rate: 0.001 }));
    const { text } = await cardsOf(QUALITY_CARDS, { call_legs: legs });

    expect(text('Ring time, jitter and packet loss')).toContain(
      'Ring time: at most 10 s for half of 20 legs, and at most 19 s for 95% of them. Packet loss: at most 0.10%',
    );
    expect(text('Ring time, jitter and packet loss')).not.toContain('Jitter:');
  });
});

describe('the cards of usage', () => {
  it('state how long people talk', async () => {
    const { text } = await cardsOf(USAGE_CARDS, {
      sessions: [...times(18, 'a', { talk_seconds: 10 }), { talk_seconds: 20 }, { talk_seconds: 30 }, {}],
    });

    expect(text('Talk time')).toContain(
      '20 sessions with a talk time of 3 min 50 s in total. The median is 10 s, the 95th percentile 20 s.',
    );
    expect(text('Talk time')).toContain('30 s to less than 1 min 1 5.0%');
  });

  it('state the busiest hour in the time zone, and how many sessions have no start', async () => {
    const { text } = await cardsOf(
      USAGE_CARDS,
      { sessions: [...times(2, 'a', started('2026-01-13', 20)), started('2026-01-13', 7), unknown] },
      { timeZone: 'Asia/Singapore' },
    );

    expect(text('Busy hours')).toContain('The busiest hour is 20:00 to 21:00 Asia/Singapore');
    expect(text('Busy hours')).toContain('The chart excludes 1 session without a start time.');
    expect(text('Busy hours')).toContain('20:00 2 2 100.0%');
    expect((await cardsOf(USAGE_CARDS, { sessions: [unknown] })).titles).toEqual([]);
  });

  it('rank the hours of the week by their mean', async () => {
    const { text, markup } = await cardsOf(USAGE_CARDS, {
      sessions: [
        started('2026-01-05', 10, 0),
        started('2026-01-05', 10, 1),
        started('2026-01-12', 10),
        started('2026-01-06', 11, 0),
        started('2026-01-06', 11, 1),
      ],
    });

    expect(text('Weekdays and hours')).toContain('is Tuesday, 11:00, with 2 sessions on average.');
    expect(markup).toContain('<title>Monday, 10:00: 1.5 sessions on average</title>');
    expect(text('Weekdays and hours')).toContain('10:00 1.5 0 0');
  });

  it('leave a day that has just begun out of the means', async () => {
    const saturdays = ['2026-11-07', '2026-11-14'].flatMap((day) => times(20, day, started(day, 3)));
    const { text } = await cardsOf(USAGE_CARDS, {
      sessions: [
        ...saturdays,
        ...times(19, 'friday', started('2026-11-20', 3)),
        ...times(90, 'today', started('2026-11-21', 1)),
      ],
    });

    expect(text('Weekdays and hours')).toContain('is Saturday, 03:00, with 20 sessions on average.');
    expect(text('Weekdays and hours')).toContain('2026-11-21 is left out, because it is incomplete.');
    expect(text('Weekdays and hours')).toContain('01:00 0 0 0 0 0 0 0');
    expect(text('Busy hours')).toContain('Some days are incomplete: the data ends at 2026-11-21 02:00.');
  });
});

describe('the cards of data', () => {
  it('count the opt-outs by status, and say when one failed', async () => {
    const optOut = (session_status: string, more: object = {}) => ({
      session_status,
      outcome: 'opted_out',
      ...more,
    });
    const { text } = await cardsOf(DATA_CARDS, {
      sessions: [
        optOut('COMPLETED_UNSUBSCRIBED'),
        optOut('COMPLETED_UNSUBSCRIBED', undated),
        optOut('COMPLETED_UNSUB_ERROR'),
      ],
    });

    expect(text('Opt-outs')).toContain('The contact opted out in 2 sessions,');
    expect(text('Opt-outs')).toContain('The opt-out failed in 1 session');
    expect(text('Opt-outs')).toContain('2026-01-13 1 1 Not in the chart 1 0');
  });

  it('count the sessions with several summaries, and only those', async () => {
    const { text } = await cardsOf(DATA_CARDS, {
      sessions: [{}, { summary_count: 2, ...undated }, { summary_count: 5 }],
    });

    expect(text('Conflicts and duplicates')).toContain(
      '8x8 delivered conflicting summaries for 2 sessions; the saved query “conflicts” lists them.',
    );
    expect(text('Conflicts and duplicates')).toContain('4 or more 2026-01-13 0 1 Not in the chart 1 0');
    expect((await cardsOf(DATA_CARDS, { sessions: [{ revision: 3 }] })).titles).toEqual([]);
  });

  it('list the most frequent unrecognised fields, and mask what they may contain', async () => {
    const { text } = await cardsOf(DATA_CARDS, {
      sessions: [{ unrecognised_count: 26 }],
      unrecognised_fields: [
        ...Array.from({ length: 25 }, (_, i) => ({ path: `payload.new${String.fromCharCode(97 + i)}` })),
        ...times(2, 'x', { path: 'for +6591234567' }),
      ],
    });

    expect(text('Unrecognised fields')).toContain('The table shows the 20 most frequent of 26 fields.');
    expect(text('Unrecognised fields')).toContain('for +(number) 2 2026-01-13 payload.newa 1');
  });

  it('state how many values are implausible', async () => {
    const { text } = await cardsOf(DATA_CARDS, { sessions: [{ implausible_count: 3 }] });

    expect(text('Values left out')).toContain('leave out 3 implausible values of 1 session');
  });

  it('state the differences to the log export in correct grammar for one and for several', async () => {
    const sessions = (count: number) =>
      times(count, 's', { ...started('2026-01-13', 10), reconstructed_from: null });
    const charges = (...ids: string[]) =>
      ids.map((session_id) => ({ session_id, total_price: session_id.startsWith('free') ? null : 1 }));
    const one = await cardsOf(DATA_CARDS, { sessions: sessions(2), call_charges: charges('s-0', 'free-1') });
    const two = await cardsOf(DATA_CARDS, {
      sessions: sessions(3),
      call_charges: charges('s-0', 'free-1', 'free-2'),
    });

    expect(one.text('Reconciliation')).toContain(
      '1 session in the log export has no record. 1 delivered session is absent from it. The saved queries',
    );
    expect(two.text('Reconciliation')).toContain(
      '2 sessions in the log export have no record. 2 delivered sessions are absent from it. The saved queries',
    );
  });

  it('state the reconstructed sessions without charges, and nothing if there are none', async () => {
    const { text } = await cardsOf(DATA_CARDS, {
      sessions: [{}, { reconstructed_from: 'log-export' }],
    });

    expect(text('Reconciliation')).toMatch(/1 session was reconstructed from 8x8’s log export\. Numbers/);
    expect((await cardsOf(DATA_CARDS, { sessions: [{}] })).titles).toEqual([]);
  });
});
