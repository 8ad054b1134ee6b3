import { type ColumnType, type Dialect, TRINO } from './dialect.ts';

/** A column of a view. */
export interface Column {
  /** In snake_case. */
  name: string;
  type: ColumnType;
  /** For whoever queries it. */
  description: string;
}

/** A column with its expression. */
export interface DefinedColumn extends Column {
  sql(dialect: Dialect): string;
}

/** Rows of one kind, from the records of an export. */
export interface View {
  name: string;
  /** What a row is. */
  description: string;
  /**
   * What is read of the items. Of several parts, the rows of all, with the same columns.
   *
   * @param source A relation with the column `item`, a record as DynamoDB exports it.
   */
  parts(dialect: Dialect, source: string): readonly Part[];
  /** What is derived of the columns of the parts, each in a column of its own. */
  derived: readonly DefinedColumn[];
  /** What else the derived columns are of. */
  join?: string;
}

interface Part {
  from: string;
  columns: readonly DefinedColumn[];
  /** Only the rows in which there is this. */
  where?: string;
}

/** The columns of a view, in their order. */
export function columnsOf({ parts, derived }: View): readonly Column[] {
  return [...(parts(TRINO, '')[0]?.columns ?? []), ...derived];
}

/**
 * The query of a view.
 *
 * @param source A relation with the column `item`, and with those that are passed through.
 */
export function selectOf(
  { parts, derived, join = '' }: View,
  dialect: Dialect,
  source: string,
  passedThrough: readonly Column[] = [],
): string {
  const through = passedThrough.map((column) => ({ ...column, sql: () => column.name }));
  const read = parts(dialect, source);
  const rows = read.map(({ from, columns, where }) => {
    const selected = [...through, ...columns].map((column) => `${column.sql(dialect)} AS ${column.name}`);
    const condition = where === undefined ? '' : `\n  WHERE ${where} IS NOT NULL`;
    return `  SELECT ${selected.join(',\n    ')}\n  FROM ${from}${condition}`;
  });
  const typed = (name: string, type: ColumnType, sql: string) =>
    `CAST(${sql} AS ${dialect.types[type]}) AS ${name}`;
  const columns = [
    ...[...through, ...(read[0]?.columns ?? [])].map(({ name, type }) => typed(name, type, name)),
    ...derived.map((column) => typed(column.name, column.type, column.sql(dialect))),
  ];
  return `SELECT ${columns.join(',\n  ')}\nFROM (\n${rows.join('\n  UNION ALL\n')}\n) AS stored${join}`;
}
