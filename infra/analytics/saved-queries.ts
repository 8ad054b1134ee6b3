import type { Dialect } from './dialect.ts';

/** A saved query of Athena and of `npx vss-webhook query`. */
export interface SavedQuery {
  name: string;
  question: string;
  sql: (dialect: Dialect) => string;
}

/** The mean of fewer legs says little about a route. */
export const MIN_ROUTE_LEGS = 30;

export const SAVED_QUERIES: readonly SavedQuery[] = [
  {
    name: 'outcomes-by-day',
    question: 'How many sessions were there each day, and with which outcomes?',
    sql: () => `SELECT start_date, count(*) AS sessions,
  count(*) FILTER (WHERE outcome = 'answered') AS answered,
  count(*) FILTER (WHERE outcome = 'unanswered') AS unanswered,
  count(*) FILTER (WHERE outcome = 'failed') AS failed,
  count(*) FILTER (WHERE outcome = 'opted_out') AS opted_out,
  count(*) FILTER (WHERE outcome = 'other') AS other
FROM sessions
GROUP BY start_date
ORDER BY start_date DESC`,
  },
  {
    name: 'answer-rate-by-week',
    question: 'Which share of the sessions was answered, by week?',
    sql: () => `SELECT CAST(date_trunc('week', start_date) AS date) AS start_week, count(*) AS sessions,
  count(*) FILTER (WHERE outcome = 'answered') AS answered,
  round(100.0 * count(*) FILTER (WHERE outcome = 'answered') / count(*), 1) AS answered_percent
FROM sessions
GROUP BY 1
ORDER BY 1 DESC`,
  },
  {
    name: 'failures-by-country',
    question: 'How many sessions failed, by day, country and error?',
    sql: () => `SELECT start_date, country, error_code, count(*) AS sessions
FROM sessions
WHERE outcome = 'failed'
GROUP BY start_date, country, error_code
ORDER BY start_date DESC, sessions DESC, country, error_code`,
  },
  {
    name: 'failures-yesterday',
    question: 'How many sessions failed yesterday, by country and error?',
    sql: ({ today }) => `SELECT country, error_code, count(*) AS sessions
FROM sessions
WHERE outcome = 'failed'
  AND session_date = CAST(${today} - INTERVAL '1' DAY AS date)
GROUP BY country, error_code
ORDER BY sessions DESC, country, error_code`,
  },
  {
    name: 'errors',
    question: 'Which errors did 8x8 report, in how many sessions, and can a retry help?',
    sql: () => `SELECT error_code, coalesce(documented_message, min(error_msg)) AS message, retry_can_help,
  count(DISTINCT session_id) AS sessions, max(start_date) AS last_seen
FROM session_errors
GROUP BY error_code, documented_message, retry_can_help
ORDER BY sessions DESC, error_code`,
  },
  {
    name: 'worst-routes',
    question: `Which 20 routes have the lowest call quality (mean MOS), of those with ${MIN_ROUTE_LEGS} legs or more?`,
    sql: () => `SELECT route, count(*) AS legs, round(avg(mos), 2) AS mean_mos, min(mos) AS least_mos,
  round(100.0 * count(*) FILTER (WHERE mos_band IN ('poor', 'bad')) / count(*), 1) AS poor_percent,
  round(avg(jitter), 0) AS mean_jitter, round(100 * avg(packet_loss_rate), 2) AS packet_loss_percent
FROM call_legs
WHERE mos IS NOT NULL
GROUP BY route
HAVING count(*) >= ${MIN_ROUTE_LEGS}
ORDER BY mean_mos, route
LIMIT 20`,
  },
  {
    name: 'quality-bands',
    question: 'How many legs are in each band of call quality (MOS)?',
    sql: () => `SELECT mos_band, count(*) AS legs, min(mos) AS from_mos, max(mos) AS to_mos
FROM call_legs
WHERE mos IS NOT NULL
GROUP BY mos_band
ORDER BY from_mos DESC`,
  },
  {
    name: 'opt-outs',
    question: 'How many sessions involved an opt-out, by month and status?',
    sql: () => `SELECT CAST(date_trunc('month', start_date) AS date) AS start_month, session_status, count(*) AS sessions
FROM sessions
WHERE outcome = 'opted_out'
GROUP BY 1, 2
ORDER BY 1 DESC, sessions DESC`,
  },
  {
    name: 'durations',
    question: 'How long is the talk time, by country?',
    sql: () => `SELECT country, count(*) AS sessions, approx_percentile(talk_seconds, 0.5) AS median_seconds,
  approx_percentile(talk_seconds, 0.95) AS p95_seconds, round(sum(talk_seconds) / 60.0, 1) AS minutes
FROM sessions
WHERE talk_seconds > 0
GROUP BY country
ORDER BY minutes DESC, country`,
  },
  {
    name: 'longest-calls',
    question: 'Which 100 sessions had the longest talk time?',
    sql: () => `SELECT session_id, sub_account_id, start_time, country, talk_seconds
FROM sessions
WHERE talk_seconds > 0
ORDER BY talk_seconds DESC, session_id
LIMIT 100`,
  },
  {
    name: 'ring-times',
    question: 'How long did the answered legs ring, by route?',
    sql: () => `SELECT route, count(*) AS legs, approx_percentile(ring_seconds, 0.5) AS median_seconds,
  approx_percentile(ring_seconds, 0.9) AS p90_seconds, approx_percentile(ring_seconds, 0.99) AS p99_seconds
FROM call_legs
WHERE ring_seconds IS NOT NULL
GROUP BY route
ORDER BY legs DESC, route`,
  },
  {
    name: 'repeat-callers',
    question: 'Which 100 numbers are the source of the first leg of most sessions, of those with several?',
    sql: () => `SELECT source, count(*) AS sessions, min(start_time) AS first_session, max(start_time) AS last_session
FROM call_legs
WHERE leg = 'callA' AND source IS NOT NULL
GROUP BY source
HAVING count(*) > 1
ORDER BY sessions DESC, source
LIMIT 100`,
  },
  {
    name: 'busy-hours',
    question: 'How many sessions start in each hour of the day?',
    sql: () => `SELECT start_hour, count(*) AS sessions, count(*) FILTER (WHERE outcome = 'answered') AS answered
FROM sessions
GROUP BY start_hour
ORDER BY start_hour`,
  },
  {
    name: 'changed-statuses',
    question: 'Which sessions changed their status in the last seven days?',
    sql: ({ today }) => `SELECT session_id, sub_account_id, changed_at, old_status, new_status
FROM session_changes
WHERE changed_at >= ${today} - INTERVAL '7' DAY
ORDER BY changed_at DESC, session_id`,
  },
  {
    name: 'conflicts',
    question: 'For which sessions did 8x8 deliver conflicting summaries?',
    sql: () => `SELECT session_id, is_shown, session_status, end_time, talk_seconds, mos, received_at
FROM session_summaries
WHERE session_id IN (SELECT session_id FROM sessions WHERE summary_count > 1)
ORDER BY session_id, is_shown DESC, end_time DESC`,
  },
  {
    name: 'incomplete',
    question: 'Which sessions lack a status, a start or an end?',
    sql: () => `SELECT session_id, session_status, start_time, end_time, received_at
FROM sessions
WHERE is_incomplete
ORDER BY received_at DESC, session_id`,
  },
  {
    name: 'reconstructed',
    question: 'Which sessions were reconstructed from 8x8’s log export, because no summary was delivered?',
    sql: () => `SELECT session_id, sub_account_id, start_time, session_status, received_at, reconstructed_from
FROM sessions
WHERE reconstructed_from IS NOT NULL
ORDER BY start_time DESC, session_id`,
  },
  {
    name: 'unrecognised',
    question: 'Which fields does 8x8 send that have no column?',
    sql: () => `SELECT path, count(*) AS sessions, min(session_date) AS first_seen, max(session_date) AS last_seen
FROM unrecognised_fields
GROUP BY path
ORDER BY sessions DESC, path`,
  },
  {
    name: 'implausible',
    question: 'Which values are left out as implausible, and how often?',
    sql: () => `SELECT column_name, count(*) AS left_out, min(value) AS least, max(value) AS greatest
FROM (
  SELECT 'mos' AS column_name, mos AS kept, raw_mos AS value FROM call_legs
  UNION ALL
  SELECT 'packet_loss_rate', packet_loss_rate, raw_packet_loss_rate FROM call_legs
  UNION ALL
  SELECT 'jitter', CAST(jitter AS double), CAST(raw_jitter AS double) FROM call_legs
  UNION ALL
  SELECT 'call_duration', CAST(call_duration AS double), CAST(raw_call_duration AS double) FROM call_legs
) AS delivered
WHERE value IS NOT NULL AND kept IS NULL
GROUP BY column_name
ORDER BY left_out DESC, column_name`,
  },
];
