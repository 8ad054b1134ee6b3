import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { Count, rowsOf } from './rows.ts';
import { counted } from './wording.ts';

const Total = v.object({ sessions: Count, amount: Count });

/** The values that the charts leave out. Returns undefined if there are none. */
export async function implausible(connection: DuckDBConnection): Promise<Card | undefined> {
  const [total] = await rowsOf(
    connection,
    Total,
    `SELECT count(*) AS sessions, coalesce(sum(implausible_count), 0) AS amount
FROM session_facts WHERE implausible_count > 0`,
  );
  if (!total || total.amount === 0) return undefined;
  return {
    title: 'Values left out',
    sentence: `${counted(total.amount, 'value')} of ${counted(total.sessions, 'session')} cannot be right, such as a mean opinion score above 5, and no chart includes them. The saved query “implausible” counts them by column.`,
  };
}
