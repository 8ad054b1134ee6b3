import * as v from 'valibot';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';
import { FAILED_STATUSES } from '../charges/charge-queries.ts';
import { barChart } from './bar-chart.ts';
import type { MakeCard } from './report.ts';
import { Count, firstGroups, PrintableText, rowsOf } from './rows.ts';
import { SIP_REASONS } from './sip-reasons.ts';
import { type Kind, present, ranked, seriesOf, sum, talliesOf, totalOf } from './tallies.ts';
import { counted, countryName, number, percent, printable } from './wording.ts';

const ErrorRow = v.object({
  code: v.nullable(Count),
  message: v.nullable(PrintableText),
  members: Count,
  sessions: Count,
});
const Failed = v.object({ sessions: Count, retryable: Count });

/** The number of codes with their own bar: all that 8x8 documents, and one more. The others share a bar. */
const MAX_CODES = ERROR_CODES.size + 1;

/** A text of this length fits into the chart, whatever its characters. 8x8’s documented messages are longer, but fit. */
const MAX_NAME = 52;

/** Each error of a session or a leg. */
const REPORTED = `(
  SELECT error_code, error_msg, failed_session FROM session_facts WHERE failed_session IS NOT NULL
  UNION ALL
  SELECT error_code, error_msg, failed_session FROM leg_facts WHERE failed_session IS NOT NULL
) AS reported`;

const inList = (codes: Iterable<number>) => `error_code IN (${[...codes].join(', ')})`;
const RETRYABLE = [...ERROR_CODES].filter(([, { retryCanHelp }]) => retryCanHelp).map(([code]) => code);

const RETRIES = [
  { name: 'A retry can help', answer: 'yes', colour: 'teal', retryCanHelp: true },
  { name: 'A retry cannot help', answer: 'no', colour: 'red', retryCanHelp: false },
  { name: 'Not documented', answer: '?', colour: 'grey', retryCanHelp: undefined },
] as const;

/** The errors that 8x8 reported for sessions or legs. */
const errors: MakeCard = async ({ connection }) => {
  const rows = await rowsOf(
    connection,
    ErrorRow,
    firstGroups(
      `SELECT error_code, min(error_msg) AS error_msg, count(DISTINCT failed_session) AS sessions,
  coalesce(${inList(ERROR_CODES.keys())}, false) AS is_documented FROM ${REPORTED} GROUP BY error_code`,
      {
        order: 'is_documented DESC, sessions DESC, error_code DESC NULLS LAST',
        limit: MAX_CODES,
        key: 'min(error_code) AS code, min(error_msg) AS message',
        sums: ['sessions'],
      },
    ),
  );
  const [failed] = await rowsOf(
    connection,
    Failed,
    `SELECT count(DISTINCT failed_session) AS sessions,
  count(DISTINCT failed_session) FILTER (WHERE ${inList(RETRYABLE)}) AS retryable FROM ${REPORTED}`,
  );
  const isOther = ({ members }: (typeof rows)[number]) => members > 1;
  const found = rows
    .toSorted((a, b) => Number(isOther(a)) - Number(isOther(b)) || b.sessions - a.sessions)
    .map((row) => {
      const { code, message, members, sessions } = row;
      if (isOther(row)) return { code: '', text: `${number(members)} other codes`, sessions, isRest: true };
      const documented = code === null ? undefined : ERROR_CODES.get(code);
      const text = documented?.message ?? message ?? 'No message';
      return { code: code === null ? 'no code' : String(code), text, sessions, documented, isRest: false };
    });
  const [first] = found;
  if (!first || !failed) return undefined;
  return {
    title: 'Errors',
    sentence: `The most frequent error is “${first.text}”, in ${counted(first.sessions, 'session')}. A retry can help in ${percent(failed.retryable, failed.sessions)} of the sessions with an error.`,
    figure: barChart({
      caption: 'Sessions by error',
      columns: ['Error', 'Message', 'Sessions', 'Can a retry help?', 'Meaning'],
      bars: found.map(({ code, text, sessions, documented, isRest }) => ({
        isRest,
        name: printable(`${code} ${text}`, documented ? Number.POSITIVE_INFINITY : MAX_NAME),
        value: number(sessions),
        cells: [
          code,
          text,
          sessions,
          RETRIES.find((each) => each.retryCanHelp === documented?.retryCanHelp)?.answer ?? '',
          documented?.meaning ?? '',
        ],
      })),
      series: present(
        RETRIES.map(({ name, colour, retryCanHelp }) => ({
          name,
          colour,
          values: found.map((error) =>
            error.documented?.retryCanHelp === retryCanHelp ? error.sessions : 0,
          ),
        })),
      ),
    }),
  };
};

const COLOURS = ['red', 'amber', 'purple', 'teal'] as const;
const MAX_COUNTRIES = 8;
const OTHERS: Kind = { kind: 'others', name: 'Other errors', colour: 'grey' };

/** The error codes with which sessions ended, by country. Rare codes share a kind. */
const errorsByCountry: MakeCard = async ({ connection }) => {
  const tallies = await talliesOf(
    connection,
    `WITH ranked AS (
  SELECT error_code FROM session_facts WHERE error_code IS NOT NULL
  GROUP BY error_code ORDER BY count(*) DESC, error_code LIMIT ${COLOURS.length}
)
SELECT country AS part, CASE WHEN error_code IN (FROM ranked) THEN CAST(error_code AS varchar) ELSE '${OTHERS.kind}' END AS kind,
  count(*) AS count
FROM session_facts WHERE error_code IS NOT NULL GROUP BY ALL`,
  );
  const all = ranked(tallies, 'part');
  const countries = all.slice(0, MAX_COUNTRIES);
  const [first] = countries;
  if (!first || all.length < 2) return undefined;
  const codes = ranked(tallies, 'kind').filter(({ name }) => name !== OTHERS.kind);
  const series = seriesOf(
    tallies,
    countries.map(({ name }) => name),
    [...codes.map(({ name }, i): Kind => ({ kind: name, name, colour: COLOURS[i] ?? 'grey' })), OTHERS],
  );
  const more =
    all.length > countries.length ? ` The chart shows ${countries.length} of ${all.length} countries.` : '';
  return {
    title: 'Errors by country',
    sentence: `${countryName(first.name)} has the most sessions that ended with an error code: ${number(first.total)} of ${counted(totalOf(tallies), 'session')}.${more}`,
    figure: barChart({
      caption: 'Sessions that ended with an error code, by country and code',
      columns: ['Country', 'Sessions', ...series.map(({ name }) => name)],
      bars: countries.map(({ name, total }, i) => ({
        name: printable(countryName(name), 14),
        value: number(total),
        cells: [printable(countryName(name), 20), total, ...series.map(({ values }) => values[i] ?? 0)],
      })),
      series,
      names: 'beside',
    }),
  };
};

const SipCode = v.object({ code: v.nullable(Count), members: Count, legs: Count });
const MAX_SIP_CODES = 10;

/** The SIP status codes with which legs failed. */
const sipCodes: MakeCard = async ({ connection, charges }) => {
  if (!charges) return undefined;
  const rows = await rowsOf(
    connection,
    SipCode,
    firstGroups(
      `SELECT sip_status, count(*) AS legs FROM charge_facts WHERE call_status IN (${FAILED_STATUSES}) GROUP BY 1`,
      {
        order: 'legs DESC, sip_status',
        limit: MAX_SIP_CODES,
        key: 'min(sip_status) AS code',
        sums: ['legs'],
      },
    ),
  );
  const bars = rows.map(({ code, members, legs }) => {
    const name = members > 1 ? `${number(members)} other codes` : String(code ?? 'no code');
    const reason = members > 1 || code === null ? '' : (SIP_REASONS[code] ?? '');
    return {
      name: `${name} ${reason}`.trim(),
      value: number(legs),
      cells: [name, reason, legs],
      isRest: members > 1,
    };
  });
  const values = rows.map(({ legs }) => legs);
  const [most] = values;
  if (most === undefined) return undefined;
  return {
    title: 'SIP codes of failures',
    sentence: `Of ${counted(sum(values), 'failed leg')}, ${percent(most, sum(values))} ended with the most frequent code: ${bars[0]?.name}.`,
    figure: barChart({
      caption: 'Failed legs by SIP status code',
      columns: ['Code', 'Reason', 'Legs'],
      bars,
      series: [{ name: '', colour: 'red', values }],
    }),
  };
};

/** Why sessions and legs fail. */
export const ERROR_CARDS: readonly MakeCard[] = [errors, errorsByCountry, sipCodes];
