import { outcomeOf } from './derived-columns.ts';
import type { Dialect } from './dialect.ts';
import type { Column } from './view.ts';

/** The columns of the view `session_changes`: one row per change of the status of a session. */
export const SESSION_CHANGES_COLUMNS: readonly Column[] = [
  { name: 'session_id', type: 'varchar', description: '8x8’s id of the session' },
  { name: 'sub_account_id', type: 'varchar', description: '8x8 sub-account' },
  {
    name: 'changed_at',
    type: 'timestamp',
    description: 'last write before the incremental export that shows the change, or time of the full one',
  },
  { name: 'old_status', type: 'varchar', description: 'status before; null if there was none' },
  { name: 'new_status', type: 'varchar', description: 'status since then' },
  { name: 'old_outcome', type: 'varchar', description: '`outcome` before' },
  { name: 'new_outcome', type: 'varchar', description: '`outcome` since then' },
];

export const SESSION_CHANGES = {
  name: 'session_changes',
  description: 'One row per net change of the status of a session between exports',
  columns: SESSION_CHANGES_COLUMNS,
} as const;

/**
 * The query of the view `session_changes`: each image of a session is compared with the previous one. Changes between
 * two exports are seen only as their sum.
 *
 * @param images A relation with the columns `item`, a record of any export, and `written`, in microseconds since 1970.
 */
export function sessionChangesSelect(images: string, dialect: Dialect): string {
  const sql: Readonly<Record<string, string>> = {
    changed_at: dialect.atMicros('written'),
    old_outcome: outcomeOf('old_status'),
    new_outcome: outcomeOf('new_status'),
  };
  const columns = SESSION_CHANGES_COLUMNS.map(
    ({ name, type }) => `CAST(${sql[name] ?? name} AS ${dialect.types[type]}) AS ${name}`,
  );
  return `SELECT ${columns.join(',\n  ')}
FROM (
  SELECT session_id, sub_account_id, written, new_status,
    lag(new_status) OVER (PARTITION BY session_id ORDER BY written) AS old_status,
    row_number() OVER (PARTITION BY session_id ORDER BY written) AS number
  FROM (
    SELECT item.sessionId.S AS session_id, item.subAccountId.S AS sub_account_id, item.sessionStatus.S AS new_status, written
    FROM ${images}
  ) AS images
) AS ordered
WHERE number > 1 AND old_status IS DISTINCT FROM new_status`;
}
