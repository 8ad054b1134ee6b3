import type { Dialect } from './dialect.ts';
import type { Column } from './view.ts';

/** The additional columns of the history views, such as `sessions_history`: the export of a row. */
export const EXPORT_COLUMNS: readonly Column[] = [
  {
    name: 'export_time',
    type: 'varchar',
    description: 'hour for which the export was scheduled: `2026-11-21T02Z`; its own time if not scheduled',
  },
  {
    name: 'export_id',
    type: 'varchar',
    description: 'DynamoDB’s id of the export; later requests have greater ids',
  },
];

/** The columns of the view `exports`: one row per complete export. */
export const EXPORTS_COLUMNS: readonly Column[] = [
  ...EXPORT_COLUMNS,
  { name: 'export_type', type: 'varchar', description: '`full` or `incremental`' },
  {
    name: 'changes_since',
    type: 'varchar',
    description: 'start of the changes in an incremental export; they end at `export_time`',
  },
  { name: 'item_count', type: 'bigint', description: 'number of records, or of changed records' },
  {
    name: 'gap_before',
    type: 'boolean',
    description: 'whether no export contains what changed before `changes_since`',
  },
];

/**
 * The query of the view `exports`.
 *
 * @param listed A relation with a row per data file or export: the columns of the view without `gap_before`.
 */
export function exportsSelect(listed: string, { types }: Dialect): string {
  const columns = EXPORTS_COLUMNS.map(({ name, type }) => `CAST(${name} AS ${types[type]}) AS ${name}`);
  return `SELECT ${columns.join(',\n  ')}
FROM (
  SELECT *, changes_since IS NOT NULL AND coalesce(changes_since > max(export_time) OVER (
    ORDER BY export_time, export_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS gap_before
  FROM (
    SELECT export_time, export_id, export_type, changes_since, sum(item_count) AS item_count
    FROM ${listed}
    GROUP BY export_time, export_id, export_type, changes_since
  ) AS complete
) AS ordered`;
}
