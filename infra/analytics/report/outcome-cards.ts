import * as v from 'valibot';
import type { OUTCOMES as DEFINED } from '../derived-columns.ts';
import { barChart } from './bar-chart.ts';
import { overTime } from './over-time.ts';
import type { Colour } from './palette.ts';
import { rateOverTime } from './rate-over-time.ts';
import type { MakeCard } from './report.ts';
import { Count, firstGroups, rowsOf } from './rows.ts';
import { present, ranked, seriesOf, talliesOf, totalOf } from './tallies.ts';
import { counted, countryName, number, percent, printable, subAccountName } from './wording.ts';

type Outcome = keyof typeof DEFINED | 'other';

const STYLES = {
  answered: { name: 'Answered', colour: 'blue' },
  unanswered: { name: 'Unanswered', colour: 'amber' },
  failed: { name: 'Failed', colour: 'red' },
  opted_out: { name: 'Opted out', colour: 'purple' },
  other: { name: 'Other', colour: 'grey' },
} as const satisfies Readonly<Record<Outcome, { name: string; colour: Colour }>>;

const kinds = ['answered', 'unanswered', 'failed', 'opted_out', 'other'] as const;

/** The values of `outcome`, in stacking order. Each has the same colour in all charts. */
const OUTCOMES = kinds.map((kind) => ({ kind, ...STYLES[kind] }));

const outcomesOverTime: MakeCard = async ({ connection, timeline, totals: { sessions } }) => {
  const title = 'Outcomes over time';
  if (!timeline)
    return sessions > 0 ? { title, sentence: 'No session has a plausible start date.' } : undefined;
  const { parts, unit, sql } = timeline;
  const tallies = await talliesOf(
    connection,
    `SELECT ${sql} AS part, outcome AS kind, count(*) AS count FROM session_facts GROUP BY ALL`,
  );
  const share = (kind: Outcome) => percent(totalOf(tallies, kind), sessions);
  const inChart = tallies.filter(({ part }) => part !== '');
  const [busiest] = ranked(inChart, 'part');
  const labelOf = (start: string) => parts.find((part) => part.start === start)?.label;
  const undated = sessions - totalOf(inChart);
  const sentences = [
    `${share('answered')} of the sessions were answered and ${share('failed')} failed.`,
    busiest && parts.length > 1
      ? `The busiest ${unit} was ${unit === 'week' ? 'the one starting on ' : ''}${labelOf(busiest.name)}, with ${counted(busiest.total, 'session')}.`
      : '',
    undated > 0
      ? `The chart excludes ${counted(undated, 'session')} with a missing, implausible or too old start date.`
      : '',
  ];
  return {
    title,
    sentence: sentences.join(' ').trim(),
    figure: overTime(timeline, tallies, OUTCOMES, `Sessions by ${unit} and outcome`),
  };
};

const answerRate: MakeCard = (report) =>
  rateOverTime(report, {
    title: 'Answer rate',
    noun: 'session',
    heading: 'Sessions',
    value: "avg(CAST(outcome = 'answered' AS integer))",
    from: 'session_facts',
    format: (value) => percent(value, 1),
    axis: { range: [0, 1], span: 0.1 },
  });

const MAX_SUB_ACCOUNTS = 12;

const bySubAccount: MakeCard = async ({ connection }) => {
  const tallies = await talliesOf(
    connection,
    'SELECT sub_account_id AS part, outcome AS kind, count(*) AS count FROM session_facts GROUP BY ALL',
  );
  const all = ranked(tallies, 'part');
  const shown = all.slice(0, MAX_SUB_ACCOUNTS).map(({ name, total }, i) => ({ id: name, i, total }));
  const [first] = shown;
  if (!first || all.length < 2) return undefined;
  const series = seriesOf(
    tallies,
    shown.map(({ id }) => id),
    OUTCOMES,
  );
  const answered = series.find(({ name }) => name === STYLES.answered.name);
  const more = all.length > shown.length ? ` The chart shows ${shown.length} of ${all.length}.` : '';
  return {
    title: 'Outcomes by sub-account',
    sentence: `${subAccountName(first.id)} has the most sessions: ${counted(first.total, 'session')}.${more}`,
    figure: barChart({
      caption: 'Sessions by sub-account and outcome',
      columns: ['Sub-account', 'Sessions', ...series.map(({ name }) => name), 'Answered %'],
      bars: shown.map(({ id, total, i }) => ({
        name: subAccountName(id),
        value: number(total),
        cells: [
          subAccountName(id),
          total,
          ...series.map(({ values }) => values[i] ?? 0),
          percent(answered?.values[i] ?? 0, total),
        ],
      })),
      series,
    }),
  };
};

const MAX_COUNTRIES = 12;

/** Fewer sessions do not give a meaningful failure rate. */
const MIN_SESSIONS = 30;

const Country = v.object({
  country: v.string(),
  members: Count,
  sessions: Count,
  answered: Count,
  unanswered: Count,
  failed: Count,
  opted_out: Count,
  other: Count,
});

/** By the country of the other party. */
const byCountry: MakeCard = async ({ connection }) => {
  const rows = await rowsOf(
    connection,
    Country,
    firstGroups(
      `SELECT country, count(*) AS sessions, ${kinds.map((kind) => `count(*) FILTER (WHERE outcome = '${kind}') AS ${kind}`).join(', ')}
FROM session_facts GROUP BY country`,
      {
        order: 'sessions DESC, country',
        limit: MAX_COUNTRIES,
        key: 'min(country) AS country',
        sums: ['sessions', ...kinds],
      },
    ),
  );
  const bars = rows.map((row) => ({
    ...row,
    name: row.members > 1 ? `${number(row.members)} others` : countryName(row.country),
  }));
  const [first] = bars;
  if (!first) return undefined;
  const [worst] = bars
    .filter(({ sessions, failed, members }) => sessions >= MIN_SESSIONS && failed > 0 && members === 1)
    .toSorted((a, b) => b.failed / b.sessions - a.failed / a.sessions);
  const series = present(
    OUTCOMES.map(({ kind, ...style }) => ({ ...style, values: rows.map((row) => row[kind]) })),
  );
  const most = `${first.name} has the most sessions: ${number(first.sessions)}.`;
  return {
    title: 'Outcomes by country',
    sentence: worst
      ? `${most} The highest failure rate of the countries shown with at least ${MIN_SESSIONS} sessions: ${worst.name}, ${percent(worst.failed, worst.sessions)} of ${counted(worst.sessions, 'session')}.`
      : most,
    figure: barChart({
      caption: 'Sessions by country and outcome',
      columns: ['Country', 'Code', 'Sessions', ...series.map(({ name }) => name), 'Answered %', 'Failed %'],
      bars: bars.map(({ name, country, members, sessions, answered, failed }, i) => ({
        name: printable(name, 14),
        value: number(sessions),
        isRest: members > 1,
        cells: [
          name,
          members > 1 || country === '' ? '' : printable(country, 20),
          sessions,
          ...series.map(({ values }) => values[i] ?? 0),
          percent(answered, sessions),
          percent(failed, sessions),
        ],
      })),
      series,
      names: 'beside',
    }),
  };
};

/** How sessions end. */
export const OUTCOME_CARDS: readonly MakeCard[] = [outcomesOverTime, answerRate, bySubAccount, byCountry];
