import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { readTotals } from './headline.ts';
import { midnight, type Period, periodBefore, spanOf } from './period.ts';
import { rowsOf } from './rows.ts';

const First = v.object({ day: v.nullable(v.string()) });

/**
 * Reads the totals of the period of the same length before the one that a report covers, which ends at the same hour.
 * Returns undefined if the report has no first day, if the exports do not reach back to the start of the period before, or
 * if data of one of the two is missing.
 */
export async function previousPeriod(connection: DuckDBConnection, period: Period) {
  const before = periodBefore(period);
  if (!before || period.gaps.some(({ from, to }) => to > midnight(before.from) && from < period.end))
    return undefined;
  const [first] = await rowsOf(
    connection,
    First,
    'SELECT min(session_date)::varchar AS day FROM all_session_facts',
  );
  if (!first?.day || first.day > before.from) return undefined;
  const totals = await readTotals(connection, 'previous_');
  return totals.sessions === 0 ? undefined : { totals, range: spanOf(before.from, before.end) };
}
