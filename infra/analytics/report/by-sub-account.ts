import type { DuckDBConnection } from '@duckdb/node-api';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { crossTabulate, sum } from './cross-tabulate.ts';
import { OUTCOMES } from './outcomes.ts';
import { talliesOf } from './rows.ts';
import { counted, number, percent, subAccountName } from './wording.ts';

const MAX_SUB_ACCOUNTS = 12;

/** The outcomes by sub-account. Returns undefined if there is only one. */
export async function bySubAccount(connection: DuckDBConnection): Promise<Card | undefined> {
  const tallies = await talliesOf(
    connection,
    'SELECT sub_account_id AS part, outcome AS kind, count(*) AS count FROM session_facts GROUP BY ALL',
  );
  const totalOf = (id: string) => sum(tallies.filter(({ part }) => part === id).map(({ count }) => count));
  const all = [...new Set(tallies.map(({ part }) => part))].sort((a, b) => totalOf(b) - totalOf(a));
  const shown = all.slice(0, MAX_SUB_ACCOUNTS);
  const [first] = shown;
  if (first === undefined || all.length < 2) return undefined;
  const counts = crossTabulate(
    tallies,
    shown,
    OUTCOMES.map(({ kind }) => kind),
  );
  const series = OUTCOMES.map(({ name, colour }, i) => ({ name, colour, values: counts[i] ?? [] })).filter(
    ({ values }) => sum(values) > 0,
  );
  const answered = counts[0] ?? [];
  const more = all.length > shown.length ? ` The chart shows ${shown.length} of ${all.length}.` : '';
  return {
    title: 'Outcomes by sub-account',
    sentence: `${subAccountName(first)} has the most sessions: ${counted(totalOf(first), 'session')}.${more}`,
    figure: {
      chart: barChart({
        label: 'Bars: sessions by sub-account and outcome',
        bars: shown.map((id) => ({ name: subAccountName(id), value: number(totalOf(id)) })),
        series,
        names: 'above',
      }),
      legend: series,
      table: {
        caption: 'Sessions by sub-account and outcome',
        columns: ['Sub-account', 'Sessions', ...series.map(({ name }) => name), 'Answered %'],
        rows: shown.map((id, i) => [
          subAccountName(id),
          totalOf(id),
          ...series.map(({ values }) => values[i] ?? 0),
          percent(answered[i] ?? 0, totalOf(id)),
        ]),
      },
    },
  };
}
