import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { quoted } from '../dialect.ts';
import type { Card } from './card.ts';
import { type Currency, pricedIn } from './charge-facts.ts';
import { columnChart } from './column-chart.ts';
import { amount, currencyName, money, Sum } from './money.ts';
import { Count, rowsOf } from './rows.ts';
import { HEADINGS, partLabel, type Timeline } from './timeline.ts';

const Part = v.object({ part: v.string(), total: Sum, legs: Count });
const NOTHING = '0.000000000000';

/** The cost in a currency over time. Legs of days without sessions are only in the table. */
export async function costOverTime(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
  currency: Currency,
): Promise<Card | undefined> {
  if (!timeline) return undefined;
  const { parts, unit, sql } = timeline;
  const listed = parts.map(quoted).join(', ');
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT CASE WHEN ${sql} IN (${listed}) THEN ${sql} ELSE '' END AS part, sum(total_price)::varchar AS total, count(*) AS legs
FROM charge_facts WHERE ${pricedIn(currency)} GROUP BY ALL ORDER BY sum(total_price) DESC, part`,
  );
  const name = currencyName(currency.currency);
  const of = (part: string) => rows.find((row) => row.part === part);
  const most = rows.find(({ part }) => part !== '');
  const outside = of('');
  return {
    title: `Cost over time in ${name}`,
    sentence: most
      ? `The most expensive ${unit} is ${partLabel(most.part, unit)}, with ${money(most.total, currency.currency)}.`
      : 'No leg with a price belongs to a day with sessions.',
    figure: {
      chart: columnChart({
        label: `Columns: cost by ${unit} in ${name}`,
        columns: parts.map((part) => partLabel(part, unit)),
        series: [{ name: 'Cost', colour: 'teal', values: parts.map((part) => Number(of(part)?.total ?? 0)) }],
        format: (value) => `${value.toLocaleString('en', { maximumFractionDigits: 2 })} ${name}`,
      }),
      table: {
        caption: `Cost by ${unit} in ${name}`,
        columns: [HEADINGS[unit], 'Cost', 'Legs'],
        rows: [
          ...parts.map((part) => [part, amount(of(part)?.total ?? NOTHING), of(part)?.legs ?? 0]),
          ...(outside ? [['Not in the chart', amount(outside.total), outside.legs]] : []),
        ],
      },
    },
  };
}
