/** Functions of Trino that DuckDB has under another name or not at all, for queries that were written for Athena. */
const MACROS = [
  'approx_distinct(value) AS approx_count_distinct(value)',
  'approx_percentile(value, fraction) AS quantile_disc(value, fraction)',
  'at_timezone(value, zone) AS timezone(zone, value)',
  // The format codes that differ are those of minutes, seconds and names of months.
  "date_format(value, format) AS strftime(value, replace(replace(replace(format, '%M', '%B'), '%i', '%M'), '%s', '%S'))",
  'element_at(list, key) AS list[key]',
  'from_unixtime(seconds) AS to_timestamp(seconds)',
  'json_extract_scalar(json, path) AS json_extract_string(json, path)',
  'regexp_like(value, pattern) AS regexp_matches(value, pattern)',
  // The columns of the views have no time zone in Athena, and show UTC. A cast would apply the time zone of the session.
  'with_timezone(value, zone) AS timezone(zone, make_timestamp(epoch_us(value)))',
];

/** The statements that define them in a database. */
export const TRINO_FUNCTIONS: readonly string[] = MACROS.map((macro) => `CREATE MACRO ${macro}`);
