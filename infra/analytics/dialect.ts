/** The type of a column in a view. */
export type ColumnType = 'varchar' | 'bigint' | 'double' | 'decimal' | 'boolean' | 'timestamp' | 'date';

/** A string literal in SQL. */
export const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** A list of these files in DuckDB, which reads a name in SQL as a pattern. */
export const literalFiles = (paths: readonly string[]) =>
  `[${paths.map((path) => quoted(path.replace(/[*?[]/g, '[$&]'))).join(', ')}]`;

/** The SQL that differs between the two engines. */
export interface Dialect {
  types: Readonly<Record<ColumnType, string>>;
  lambda(parameter: string, body: string): string;
  /** Applies a lambda to each element of a list. */
  transform(list: string, lambda: string): string;
  filter(list: string, lambda: string): string;
  /** The first element of a list; null if the list is empty. */
  first(list: string): string;
  /** The smallest element of a list without nulls; null if the list is empty. */
  least(list: string): string;
  /** The number of elements of a list; 0 for null. */
  length(list: string): string;
  /** Casts a canonical time, which is in UTC, to a timestamp. */
  instant(text: string): string;
  /** The timestamp of microseconds since 1970. */
  atMicros(micros: string): string;
  /** A timestamp in the time zone of the analyst, of which `hour` and a cast to a date take the parts. */
  local(timestamp: string): string;
  /** The day of a timestamp in UTC. */
  utcDate(timestamp: string): string;
  /** The current day in that time zone. */
  today: string;
  /** Whole seconds from one timestamp to another. */
  secondsBetween(from: string, to: string): string;
  /** A relation with one row per element of a list of DynamoDB maps; `element` is the expression of its attributes. */
  unnestList(relation: string, list: string): { from: string; element: string };
  /** A relation with one row per entry of a map. */
  unnestMap(relation: string, map: string): { from: string; key: string; value: string };
}

const TRINO_TYPES = {
  varchar: 'varchar',
  bigint: 'bigint',
  double: 'double',
  // A sum has 38 digits in both engines, so no number of prices exceeds it.
  decimal: 'decimal(24,12)',
  boolean: 'boolean',
  timestamp: 'timestamp(3)',
  date: 'date',
};

/**
 * Trino, as Amazon Athena (engine version 3) runs it. Timestamps are in UTC, because Glue has no type for those with a
 * time zone.
 *
 * @param timeZone The time zone of days and hours, such as `Asia/Singapore`.
 */
export const trino = (timeZone: string): Dialect => ({
  types: TRINO_TYPES,
  // Not all older times have milliseconds, and Trino accepts no Z.
  instant: (text) => `TRY_CAST(replace(replace(substr(${text}, 1, 23), 'T', ' '), 'Z', '') AS timestamp(3))`,
  atMicros: (micros) => `from_unixtime(${micros} / 1e6) AT TIME ZONE 'UTC'`,
  local: (timestamp) =>
    timeZone === 'UTC' ? timestamp : `at_timezone(with_timezone(${timestamp}, 'UTC'), ${quoted(timeZone)})`,
  utcDate: (timestamp) => `CAST(${timestamp} AS date)`,
  today: `CAST(at_timezone(current_timestamp, ${quoted(timeZone)}) AS date)`,
  lambda: (parameter, body) => `${parameter} -> ${body}`,
  transform: (list, lambda) => `transform(${list}, ${lambda})`,
  filter: (list, lambda) => `filter(${list}, ${lambda})`,
  first: (list) => `element_at(${list}, 1)`,
  least: (list) => `array_min(${list})`,
  length: (list) => `coalesce(cardinality(${list}), 0)`,
  secondsBetween: (from, to) => `date_diff('second', ${from}, ${to})`,
  // Trino unnests a list of rows into one column per field. These rows have one field.
  unnestList: (relation, list) => ({
    from: `${relation} CROSS JOIN UNNEST(${list}) AS element (m)`,
    element: 'element.m',
  }),
  unnestMap: (relation, map) => ({
    from: `${relation} CROSS JOIN UNNEST(${map}) AS entry (name, content)`,
    key: 'entry.name',
    value: 'entry.content',
  }),
});

/** DuckDB. Timestamps have a time zone, which is that of the connection (`SET TimeZone`). */
export const DUCKDB: Dialect = {
  types: { ...TRINO_TYPES, timestamp: 'timestamptz' },
  instant: (text) => `TRY_CAST(${text} AS timestamptz)`,
  atMicros: (micros) => `to_timestamp(${micros} / 1e6)`,
  local: (timestamp) => timestamp,
  utcDate: (timestamp) => `CAST(timezone('UTC', ${timestamp}) AS date)`,
  today: 'current_date',
  lambda: (parameter, body) => `lambda ${parameter}: ${body}`,
  transform: (list, lambda) => `list_transform(${list}, ${lambda})`,
  filter: (list, lambda) => `list_filter(${list}, ${lambda})`,
  first: (list) => `list_extract(${list}, 1)`,
  least: (list) => `list_min(${list})`,
  length: (list) => `coalesce(len(${list}), 0)`,
  // Not date_diff, which in DuckDB counts the second boundaries between the two.
  secondsBetween: (from, to) => `date_sub('second', ${from}, ${to})`,
  // Not with CROSS JOIN: DuckDB compares whole rows for it, which is ten times slower.
  unnestList: (relation, list) => ({
    from: `(SELECT *, unnest(${list}) AS element FROM ${relation}) AS unnested`,
    element: 'element.M',
  }),
  unnestMap: (relation, map) => ({
    from: `(SELECT *, unnest(map_entries(${map})) AS entry FROM ${relation}) AS unnested`,
    key: 'entry.key',
    value: 'entry.value',
  }),
};
