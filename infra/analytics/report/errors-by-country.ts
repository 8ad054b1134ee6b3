import type { DuckDBConnection } from '@duckdb/node-api';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { crossTabulate, sum } from './cross-tabulate.ts';
import { talliesOf } from './rows.ts';
import { counted, countryName, number, printable } from './wording.ts';

const COLOURS = ['red', 'amber', 'purple', 'teal'] as const;
const MAX_COUNTRIES = 8;
const OTHERS = 'others';

/** The error codes with which sessions ended, by country. Returns undefined if fewer than two countries have errors. */
export async function errorsByCountry(connection: DuckDBConnection): Promise<Card | undefined> {
  const tallies = await readTallies(connection);
  const totalOf = (matches: (tally: (typeof tallies)[number]) => boolean) =>
    sum(tallies.filter(matches).map(({ count }) => count));
  const ranked = (values: Iterable<string>, key: 'part' | 'kind') =>
    [...new Set(values)].sort((a, b) => totalOf((t) => t[key] === b) - totalOf((t) => t[key] === a));
  const all = ranked(
    tallies.map(({ part }) => part),
    'part',
  );
  const countries = all.slice(0, MAX_COUNTRIES);
  const [first, second] = countries;
  if (first === undefined || second === undefined) return undefined;
  const codes = ranked(
    tallies.map(({ kind }) => kind).filter((kind) => kind !== OTHERS),
    'kind',
  );
  const kinds = [...codes, OTHERS];
  const counts = crossTabulate(tallies, countries, kinds);
  const series = kinds
    .map((kind, i) => ({
      name: kind === OTHERS ? 'Other errors' : kind,
      colour: kind === OTHERS ? ('grey' as const) : (COLOURS[i] ?? 'grey'),
      values: counts[i] ?? [],
    }))
    .filter(({ values }) => sum(values) > 0);
  const more =
    all.length > countries.length ? ` The chart shows ${countries.length} of ${all.length} countries.` : '';
  const totals = countries.map((country) => totalOf(({ part }) => part === country));
  return {
    title: 'Errors by country',
    sentence: `${countryName(first)} has the most sessions that ended with an error code: ${number(totals[0] ?? 0)} of ${counted(
      totalOf(() => true),
      'session',
    )}.${more}`,
    figure: {
      chart: barChart({
        label: 'Bars: sessions that ended with an error code, by country and code',
        bars: countries.map((country, i) => ({
          name: printable(countryName(country), 14),
          value: number(totals[i] ?? 0),
        })),
        series,
      }),
      legend: series,
      table: {
        caption: 'Sessions that ended with an error code, by country and code',
        columns: ['Country', 'Sessions', ...series.map(({ name }) => name)],
        rows: countries.map((country, i) => [
          printable(countryName(country), 20),
          totals[i] ?? 0,
          ...series.map(({ values }) => values[i] ?? 0),
        ]),
      },
    },
  };
}

/** The sessions that ended with an error code, by country and code. Rare codes share the kind `others`. */
function readTallies(connection: DuckDBConnection) {
  return talliesOf(
    connection,
    `WITH ranked AS (
  SELECT error_code FROM session_facts WHERE error_code IS NOT NULL
  GROUP BY error_code ORDER BY count(*) DESC, error_code LIMIT ${COLOURS.length}
)
SELECT country AS part, CASE WHEN error_code IN (FROM ranked) THEN CAST(error_code AS varchar) ELSE '${OTHERS}' END AS kind,
  count(*) AS count
FROM session_facts WHERE error_code IS NOT NULL GROUP BY ALL`,
  );
}
