import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { conditionOf, type Scope } from './facts.ts';
import { Count, PrintableText, rowsOf } from './rows.ts';
import { counted } from './wording.ts';

const Total = v.object({ sessions: Count });
const Field = v.object({ path: PrintableText, sessions: Count, first: v.nullable(v.string()), paths: Count });

const MAX_PATHS = 20;

/** The fields that 8x8 delivered and that have no column. Returns undefined if there are none. */
export async function unrecognised(connection: DuckDBConnection, scope: Scope): Promise<Card | undefined> {
  const [total] = await rowsOf(
    connection,
    Total,
    'SELECT count(*) AS sessions FROM session_facts WHERE unrecognised_count > 0',
  );
  // Avoids reading the whole export.
  if (!total || total.sessions === 0) return undefined;
  const rows = await rowsOf(
    connection,
    Field,
    `SELECT path, count(*) AS sessions, min(session_date)::varchar AS first, count(*) OVER () AS paths
FROM unrecognised_fields WHERE ${conditionOf(scope)} GROUP BY path ORDER BY sessions DESC, path LIMIT ${MAX_PATHS}`,
  );
  const paths = rows[0]?.paths ?? 0;
  return {
    title: 'Unrecognised fields',
    sentence: `${counted(total.sessions, 'session')} had unknown or malformed fields. No column contains them; their values are in the view “unrecognised_fields”.${paths > MAX_PATHS ? ` The table shows the ${MAX_PATHS} most frequent of ${counted(paths, 'field')}.` : ''}`,
    figure: {
      table: {
        caption: 'Unrecognised fields',
        columns: ['Field', 'Sessions', 'First seen'],
        rows: rows.map(({ path, sessions, first }) => [path, sessions, first ?? '']),
      },
    },
  };
}
