import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { Count, PrintableText, rowsOf } from './rows.ts';
import { counted, number, percent, printable } from './wording.ts';

const ErrorRow = v.object({
  code: v.nullable(Count),
  message: v.nullable(PrintableText),
  codes: Count,
  sessions: Count,
});
const Failed = v.object({ sessions: Count, retryable: Count });

/** The number of codes with their own bar: all that 8x8 documents, and one more. The others share a bar. */
const MAX_CODES = ERROR_CODES.size + 1;

/** Each error of a session or a leg. */
const REPORTED = `(
  SELECT error_code, error_msg, failed_session FROM session_facts WHERE failed_session IS NOT NULL
  UNION ALL
  SELECT error_code, error_msg, failed_session FROM leg_facts WHERE failed_session IS NOT NULL
) AS reported`;

const inList = (codes: Iterable<number>) => `error_code IN (${[...codes].join(', ')})`;

/** A text of this length fits into the chart, whatever its characters. 8x8’s documented messages are longer, but fit. */
const MAX_NAME = 52;

const RETRIES = [
  { name: 'A retry can help', colour: 'teal', retryCanHelp: true },
  { name: 'A retry cannot help', colour: 'red', retryCanHelp: false },
  { name: 'Not documented', colour: 'grey', retryCanHelp: undefined },
] as const;

/** The errors that 8x8 reported for sessions or legs. */
export async function errors(connection: DuckDBConnection): Promise<Card | undefined> {
  const found = await readErrors(connection);
  const failed = await readFailed(connection);
  const [first] = found;
  if (!first || !failed) return undefined;
  const series = RETRIES.map(({ name, colour, retryCanHelp }) => ({
    name,
    colour,
    values: found.map((error) => (error.documented?.retryCanHelp === retryCanHelp ? error.sessions : 0)),
  })).filter(({ values }) => sum(values) > 0);
  return {
    title: 'Errors',
    sentence: `The most frequent error is “${first.text}”, in ${counted(first.sessions, 'session')}. A retry can help in ${percent(failed.retryable, failed.sessions)} of the sessions with an error.`,
    figure: {
      chart: barChart({
        label: 'Bars: sessions by error, and whether a retry can help',
        bars: found.map(({ code, text, sessions, documented }) => ({
          name: printable(`${code} ${text}`, documented ? Number.POSITIVE_INFINITY : MAX_NAME),
          value: number(sessions),
        })),
        series,
        names: 'above',
      }),
      legend: series,
      table: {
        caption: 'Sessions by error',
        columns: ['Error', 'Message', 'Sessions', 'Can a retry help?', 'Meaning'],
        rows: found.map(({ code, text, sessions, documented }) => [
          code,
          text,
          sessions,
          documented === undefined ? '?' : documented.retryCanHelp ? 'yes' : 'no',
          documented?.meaning ?? '',
        ]),
      },
    },
  };
}

/** The errors by frequency; those that share a bar come last. */
async function readErrors(connection: DuckDBConnection) {
  const rows = await rowsOf(
    connection,
    ErrorRow,
    `WITH by_code AS (
  SELECT error_code, min(error_msg) AS error_msg, count(DISTINCT failed_session) AS sessions,
    coalesce(${inList(ERROR_CODES.keys())}, false) AS is_documented
  FROM ${REPORTED} GROUP BY error_code
), ranked AS (
  SELECT *, least(row_number() OVER (ORDER BY is_documented DESC, sessions DESC, error_code DESC NULLS LAST), ${MAX_CODES + 1}) AS place
  FROM by_code
)
SELECT min(error_code) AS code, min(error_msg) AS message, count(*) AS codes, sum(sessions) AS sessions
FROM ranked GROUP BY place ORDER BY place = ${MAX_CODES + 1}, sessions DESC, code DESC NULLS LAST`,
  );
  return rows.map(({ code, message, codes, sessions }) => {
    if (codes > 1) return { code: '', text: `${number(codes)} other codes`, sessions };
    const documented = code === null ? undefined : ERROR_CODES.get(code);
    const text = documented?.message ?? message ?? 'No message';
    return { code: code === null ? 'no code' : String(code), text, sessions, documented };
  });
}

/** The number of sessions with an error, and of those in which a retry can help. */
async function readFailed(connection: DuckDBConnection) {
  const retryable = [...ERROR_CODES].filter(([, { retryCanHelp }]) => retryCanHelp).map(([code]) => code);
  const [failed] = await rowsOf(
    connection,
    Failed,
    `SELECT count(DISTINCT failed_session) AS sessions,
  count(DISTINCT failed_session) FILTER (WHERE ${inList(retryable)}) AS retryable FROM ${REPORTED}`,
  );
  return failed;
}
