import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { OUTCOMES } from './outcomes.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, countryName, number, percent, printable } from './wording.ts';

const Country = v.object({
  country: v.string(),
  countries: Count,
  sessions: Count,
  answered: Count,
  unanswered: Count,
  failed: Count,
  opted_out: Count,
  other: Count,
});

/** The number of countries with their own bar. The others share a bar. */
const MAX_COUNTRIES = 12;

/** Fewer sessions do not give a meaningful failure rate. */
const MIN_SESSIONS = 30;

/** The outcomes of sessions, by the country of the other party. */
export async function outcomesByCountry(connection: DuckDBConnection): Promise<Card | undefined> {
  const rows = await rowsOf(
    connection,
    Country,
    `WITH by_country AS (
  SELECT country, count(*) AS sessions,
    ${OUTCOMES.map(({ kind }) => `count(*) FILTER (WHERE outcome = '${kind}') AS ${kind}`).join(', ')}
  FROM session_facts GROUP BY country
), ranked AS (
  SELECT *, least(row_number() OVER (ORDER BY sessions DESC, country), ${MAX_COUNTRIES + 1}) AS place
  FROM by_country
)
SELECT min(country) AS country, count(*) AS countries, sum(sessions) AS sessions,
  ${OUTCOMES.map(({ kind }) => `sum(${kind}) AS ${kind}`).join(', ')}
FROM ranked GROUP BY place ORDER BY place`,
  );
  const [first] = rows;
  if (!first) return undefined;
  const bars = rows.map((row) => ({
    ...row,
    name: row.countries > 1 ? `${number(row.countries)} others` : countryName(row.country),
  }));
  const [worst] = bars
    .filter(({ sessions, failed, countries }) => sessions >= MIN_SESSIONS && failed > 0 && countries === 1)
    .sort((a, b) => b.failed / b.sessions - a.failed / a.sessions);
  const series = OUTCOMES.map(({ kind, ...rest }) => ({
    ...rest,
    values: rows.map((row) => row[kind]),
  })).filter(({ values }) => values.some((value) => value > 0));
  const most = `${countryName(first.country)} has the most sessions: ${number(first.sessions)}.`;
  return {
    title: 'Outcomes by country',
    sentence: worst
      ? `${most} The highest failure rate of the countries shown with at least ${MIN_SESSIONS} sessions: ${worst.name}, ${percent(worst.failed, worst.sessions)} of ${counted(worst.sessions, 'session')}.`
      : most,
    figure: {
      chart: barChart({
        label: 'Bars: sessions by country and outcome',
        bars: bars.map(({ name, sessions }) => ({ name: printable(name, 14), value: number(sessions) })),
        series,
      }),
      legend: series,
      table: {
        caption: 'Sessions by country and outcome',
        columns: ['Country', 'Code', 'Sessions', ...series.map(({ name }) => name), 'Answered %', 'Failed %'],
        rows: bars.map(({ name, country, countries, sessions, answered, failed }, i) => [
          name,
          countries > 1 ? '' : printable(country, 20),
          sessions,
          ...series.map(({ values }) => values[i] ?? 0),
          percent(answered, sessions),
          percent(failed, sessions),
        ]),
      },
    },
  };
}
