import { OUTCOMES } from '../derived-columns.ts';
import type { Dialect } from '../dialect.ts';
import type { SavedQuery } from '../saved-queries.ts';

const isAnswered = 'connected_timestamp IS NOT NULL';
const COUNTED = 'count(*) AS legs, count(total_price) AS priced_legs, sum(total_price) AS total_price';

/** The statuses of a failed leg. */
export const FAILED_STATUSES = `'${OUTCOMES.failed.join("', '")}'`;

/** The saved queries that need the charges. They never add prices in different currencies. */
export const CHARGE_QUERIES: readonly SavedQuery[] = [
  {
    name: 'cost-by-country-and-day',
    question: 'What do calls cost, by day, destination country and currency?',
    sql: () => `SELECT charge_date, destination_country, currency, ${COUNTED},
  sum(billed_seconds) AS billed_seconds
FROM call_charges
GROUP BY charge_date, destination_country, currency
ORDER BY charge_date DESC, legs DESC, destination_country, currency`,
  },
  {
    name: 'cost-per-answered-minute',
    question: 'What does a minute of answered calls cost, by destination country and currency?',
    sql: ({ types }) => `SELECT destination_country, currency, ${COUNTED},
  count(*) FILTER (WHERE ${isAnswered}) AS answered_legs,
  ${answeredSeconds} AS answered_seconds,
  TRY_CAST(${costPerMinute} AS ${types.decimal}) AS cost_per_minute
FROM call_charges
WHERE total_price IS NOT NULL
GROUP BY destination_country, currency
ORDER BY legs DESC, destination_country, currency`,
  },
  {
    name: 'cost-by-product',
    question: 'What do calls cost, by product and currency?',
    sql: () => `SELECT product, currency, ${COUNTED}, sum(billed_seconds) AS billed_seconds
FROM call_charges
GROUP BY product, currency
ORDER BY legs DESC, product, currency`,
  },
  {
    name: 'sip-codes-of-failures',
    question: 'With which SIP status did legs fail (status FAILED or ERROR), and how often?',
    sql: () => `SELECT sip_status, call_status, count(*) AS legs, count(DISTINCT session_id) AS sessions,
  min(charge_date) AS first_seen, max(charge_date) AS last_seen
FROM call_charges
WHERE call_status IN (${FAILED_STATUSES})
GROUP BY sip_status, call_status
ORDER BY legs DESC, sip_status, call_status`,
  },
  {
    name: 'not-in-log-export',
    question: 'Which sessions did 8x8 deliver that its log export of that day lacks?',
    sql: (dialect) => `WITH days AS (SELECT DISTINCT sub_account_id, export_day FROM call_charges)
SELECT session_id, sessions.sub_account_id, start_time, session_status, leg_count
FROM sessions
${onExportedDays(dialect)}
WHERE reconstructed_from IS NULL AND session_id NOT IN (SELECT session_id FROM call_charges)
ORDER BY start_time DESC, session_id`,
  },
  {
    name: 'not-recorded',
    question: 'Which sessions are in 8x8’s log export, but not recorded?',
    sql: () => `SELECT session_id, min(sub_account_id) AS sub_account_id, min(charge_date) AS charge_date,
  min(session_status) AS session_status, count(*) AS legs
FROM call_charges
WHERE session_id NOT IN (SELECT session_id FROM sessions)
GROUP BY session_id
ORDER BY charge_date DESC, session_id`,
  },
];

const answeredSeconds = `sum(duration_seconds) FILTER (WHERE ${isAnswered})`;

/** The price of all legs, divided by the minutes of the answered ones. */
const costPerMinute = `60 * sum(total_price) / nullif(${answeredSeconds}, 0)`;

/**
 * Keeps the sessions whose day is exported. A leg may begin a little before or after its session: on the other side of
 * midnight, another day must be exported too.
 */
function onExportedDays(dialect: Dialect): string {
  const join = (alias: string, sign: string) =>
    `JOIN days AS ${alias} ON ${alias}.sub_account_id = sessions.sub_account_id AND ${alias}.export_day = ${dialect.utcDate(`start_time ${sign} INTERVAL '1' MINUTE`)}`;
  return `${join('day_before', '-')}\n${join('day_after', '+')}`;
}
