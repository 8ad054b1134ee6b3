/** A type of a column in a view. */
export type ColumnType = 'varchar' | 'bigint' | 'double' | 'boolean' | 'timestamp' | 'date';

/** A text in SQL. */
export const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** What the two engines write differently. Everything else is the same SQL for both. */
export interface Dialect {
  types: Readonly<Record<ColumnType, string>>;
  lambda(parameter: string, body: string): string;
  /** Of a list: its elements, each passed through an expression. */
  transform(list: string, lambda: string): string;
  filter(list: string, lambda: string): string;
  /** Of a list: its first element. Null, where there is none. */
  first(list: string): string;
  /** Of a list without nulls: its least element. Null, where there is none. */
  least(list: string): string;
  /** Of a list, or null: how many elements it has. */
  length(list: string): string;
  /** Whole seconds from one timestamp to another. */
  secondsBetween(from: string, to: string): string;
  /** A relation, each row once for every element of a list of DynamoDB maps; `element` is where its attributes are. */
  unnestList(relation: string, list: string): { from: string; element: string };
  /** The same for the entries of a map. */
  unnestMap(relation: string, map: string): { from: string; key: string; value: string };
}

/** Trino, as Amazon Athena (engine version 3) runs it. */
export const TRINO: Dialect = {
  types: {
    varchar: 'varchar',
    bigint: 'bigint',
    double: 'double',
    boolean: 'boolean',
    timestamp: 'timestamp(3)',
    date: 'date',
  },
  lambda: (parameter, body) => `${parameter} -> ${body}`,
  transform: (list, lambda) => `transform(${list}, ${lambda})`,
  filter: (list, lambda) => `filter(${list}, ${lambda})`,
  first: (list) => `element_at(${list}, 1)`,
  least: (list) => `array_min(${list})`,
  length: (list) => `coalesce(cardinality(${list}), 0)`,
  secondsBetween: (from, to) => `date_diff('second', ${from}, ${to})`,
  // Of a list of rows, Trino makes a column of each of their fields: here of the only one.
  unnestList: (relation, list) => ({
    from: `${relation} CROSS JOIN UNNEST(${list}) AS element (m)`,
    element: 'element.m',
  }),
  unnestMap: (relation, map) => ({
    from: `${relation} CROSS JOIN UNNEST(${map}) AS entry (name, content)`,
    key: 'entry.name',
    value: 'entry.content',
  }),
};

export const DUCKDB: Dialect = {
  types: { ...TRINO.types, timestamp: 'timestamp' },
  lambda: (parameter, body) => `lambda ${parameter}: ${body}`,
  transform: (list, lambda) => `list_transform(${list}, ${lambda})`,
  filter: (list, lambda) => `list_filter(${list}, ${lambda})`,
  first: (list) => `list_extract(${list}, 1)`,
  least: (list) => `list_min(${list})`,
  length: (list) => `coalesce(len(${list}), 0)`,
  // Its date_diff counts the boundaries of seconds that lie between.
  secondsBetween: (from, to) => `date_sub('second', ${from}, ${to})`,
  // Not by CROSS JOIN, for which DuckDB compares whole rows: that is ten times as slow.
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
