import { type ColumnType, type Dialect, trino } from './dialect.ts';

/** A column of a view. */
export interface Column {
  /** In snake_case. */
  name: string;
  type: ColumnType;
  /** Shown to analysts, in Athena and by `npx vss-webhook query`. */
  description: string;
}

/** A column with its SQL expression. */
export interface DefinedColumn extends Column {
  sql(dialect: Dialect): string;
}

/** A view of the records of an export. */
export interface View {
  name: string;
  /** States what one row is: `One row per …`. */
  description: string;
  /**
   * The selects that read the items, combined with UNION ALL. All have the same columns.
   *
   * @param source A relation with the column `item`, a record as DynamoDB exports it.
   */
  parts(dialect: Dialect, source: string): readonly Part[];
  /** Columns that are computed from the columns of the parts. */
  derived: readonly DefinedColumn[];
  /** A JOIN clause, for derived columns that need another relation. */
  join?: string;
}

interface Part {
  from: string;
  columns: readonly DefinedColumn[];
  /** Keeps only the rows in which this expression is not null. */
  where?: string;
}

/** The columns of a view, in order. */
export function columnsOf({ parts, derived }: View): readonly Column[] {
  return [...(parts(trino('UTC'), '')[0]?.columns ?? []), ...derived];
}

/**
 * The query of a view.
 *
 * @param source A relation with the column `item` and the columns in `passedThrough`.
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
