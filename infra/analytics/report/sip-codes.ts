import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { FAILED_STATUSES } from '../charges/charge-queries.ts';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, number, percent } from './wording.ts';

const Code = v.object({ code: v.nullable(Count), codes: Count, legs: Count });

/** The number of codes with their own bar. The others share a bar. */
const MAX_CODES = 10;

/** The reason phrases of frequent codes. @see https://www.rfc-editor.org/rfc/rfc3261#section-21 */
const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  410: 'Gone',
  480: 'Temporarily Unavailable',
  484: 'Address Incomplete',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
};

/** The SIP status codes with which legs failed. Returns undefined if none did. */
export async function sipCodes(connection: DuckDBConnection): Promise<Card | undefined> {
  const rows = await rowsOf(
    connection,
    Code,
    `WITH by_code AS (
  SELECT sip_status, count(*) AS legs FROM charge_facts WHERE call_status IN (${FAILED_STATUSES}) GROUP BY 1
), ranked AS (
  SELECT *, least(row_number() OVER (ORDER BY legs DESC, sip_status), ${MAX_CODES + 1}) AS place FROM by_code
)
SELECT min(sip_status) AS code, count(*) AS codes, sum(legs) AS legs FROM ranked GROUP BY place ORDER BY place`,
  );
  const [first] = rows;
  if (!first) return undefined;
  const bars = rows.map((row) => ({ ...row, ...nameOf(row) }));
  const labels = bars.map(({ name, reason }) => `${name} ${reason}`.trim());
  const all = sum(rows.map(({ legs }) => legs));
  return {
    title: 'SIP codes of failures',
    sentence: `Of ${counted(all, 'failed leg')}, ${percent(first.legs, all)} ended with the most frequent code: ${labels[0]}.`,
    figure: {
      chart: barChart({
        label: 'Bars: failed legs by SIP status code',
        bars: rows.map(({ legs }, i) => ({ name: labels[i] ?? '', value: number(legs) })),
        series: [{ name: 'Legs', colour: 'red', values: rows.map(({ legs }) => legs) }],
        names: 'above',
      }),
      table: {
        caption: 'Failed legs by SIP status code',
        columns: ['Code', 'Reason', 'Legs'],
        rows: bars.map(({ name, reason, legs }) => [name, reason, legs]),
      },
    },
  };
}

function nameOf({ code, codes }: v.InferOutput<typeof Code>) {
  if (codes > 1) return { name: `${number(codes)} other codes`, reason: '' };
  return code === null
    ? { name: 'no code', reason: '' }
    : { name: String(code), reason: REASONS[code] ?? '' };
}
