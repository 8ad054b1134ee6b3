import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { Count, rowsOf, Shown } from './rows.ts';
import { counted, number, percent, shown } from './wording.ts';

const ReportedError = v.object({
  code: v.nullable(Count),
  message: v.nullable(Shown),
  codes: Count,
  sessions: Count,
});

/** How many codes have a bar: all that 8x8 documents, and some more. The others share one. */
const MAX_CODES = ERROR_CODES.size + 1;

/** Each error of a session or a leg. */
const REPORTED = `(
  SELECT error_code, error_msg, failed_session FROM session_facts WHERE failed_session IS NOT NULL
  UNION ALL
  SELECT error_code, error_msg, failed_session FROM leg_facts WHERE failed_session IS NOT NULL
) AS reported`;

const Failed = v.object({ sessions: Count, retryable: Count });

const inList = (codes: Iterable<number>) => `error_code IN (${[...codes].join(', ')})`;

/** Any text of so many characters fits into the chart. 8x8’s own are longer, and do too. */
const MAX_NAME = 52;

const RETRIES = [
  { name: 'A retry can help', colour: 'teal', retryCanHelp: true },
  { name: 'A retry cannot help', colour: 'red', retryCanHelp: false },
  { name: 'Not documented', colour: 'grey', retryCanHelp: undefined },
] as const;

/** The errors that 8x8 reported, of sessions or legs. */
export async function errors(connection: DuckDBConnection): Promise<Card> {
  const title = 'Errors';
  const rows = await rowsOf(
    connection,
    ReportedError,
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
  const retryable = [...ERROR_CODES].filter(([, { retryCanHelp }]) => retryCanHelp).map(([code]) => code);
  const [failed] = await rowsOf(
    connection,
    Failed,
    `SELECT count(DISTINCT failed_session) AS sessions,
  count(DISTINCT failed_session) FILTER (WHERE ${inList(retryable)}) AS retryable FROM ${REPORTED}`,
  );
  const found = rows.map(({ code, message, codes, sessions }) => {
    if (codes > 1)
      return { code: '', text: `${number(codes)} other codes`, meaning: '', isDocumented: false, sessions };
    const documented = code === null ? undefined : ERROR_CODES.get(code);
    return {
      code: code === null ? 'no code' : String(code),
      text: documented?.message ?? message ?? 'No message',
      meaning: documented?.meaning ?? '',
      isDocumented: documented !== undefined,
      retryCanHelp: documented?.retryCanHelp,
      sessions,
    };
  });
  const [first] = found;
  if (!first || !failed) return { title, sentence: '8x8 reported no error.' };
  const series = RETRIES.map(({ name, colour, retryCanHelp }) => ({
    name,
    colour,
    values: found.map((error) => (error.retryCanHelp === retryCanHelp ? error.sessions : 0)),
  })).filter(({ values }) => sum(values) > 0);
  return {
    title,
    sentence: `The most frequent error is “${first.text}”, in ${counted(first.sessions, 'session')}. A retry can help with ${percent(failed.retryable, failed.sessions)} of the sessions that have one.`,
    figure: {
      chart: barChart({
        label: 'Bars: sessions by error, and whether a retry can help',
        bars: found.map(({ code, text, isDocumented, sessions }) => ({
          name: shown(`${code} ${text}`, isDocumented ? Number.POSITIVE_INFINITY : MAX_NAME),
          value: number(sessions),
        })),
        series,
        names: 'above',
      }),
      legend: series,
      table: {
        caption: 'Sessions by error',
        columns: ['Error', 'Message', 'Sessions', 'Can a retry help?', 'What it means'],
        rows: found.map(({ code, text, sessions, retryCanHelp, meaning }) => [
          code,
          text,
          sessions,
          retryCanHelp === undefined ? '?' : retryCanHelp ? 'yes' : 'no',
          meaning,
        ]),
      },
    },
  };
}
