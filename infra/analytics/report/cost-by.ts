import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { type Currency, pricedIn } from './charge-facts.ts';
import { amount, currencyName, money, perMinute, Sum, shortAmount } from './money.ts';
import { Count, rowsOf } from './rows.ts';
import { duration, number, printable } from './wording.ts';

const Part = v.object({ part: v.string(), parts: Count, legs: Count, total: Sum, seconds: Count });

/** The number of parts with their own bar. The others share a bar. */
const MAX_PARTS = 12;

/** The cost in a currency by destination country or product. Returns undefined if there is none. */
export async function costBy(
  connection: DuckDBConnection,
  by: 'country' | 'product',
  currency: Currency,
): Promise<Card | undefined> {
  const rows = await rowsOf(
    connection,
    Part,
    `WITH by_part AS (
  SELECT ${by} AS part, count(*) AS legs, sum(total_price) AS total, coalesce(sum(answered_seconds), 0) AS seconds
  FROM charge_facts WHERE ${pricedIn(currency)} GROUP BY 1
), ranked AS (
  SELECT *, least(row_number() OVER (ORDER BY total DESC, part), ${MAX_PARTS + 1}) AS place FROM by_part
)
SELECT min(part) AS part, count(*) AS parts, sum(legs) AS legs, sum(total)::varchar AS total, sum(seconds) AS seconds
FROM ranked GROUP BY place ORDER BY place`,
  );
  const [first] = rows;
  if (!first) return undefined;
  const name = currencyName(currency.currency);
  const bars = rows.map((row) => ({
    ...row,
    name: row.parts > 1 ? `${number(row.parts)} others` : printable(row.part, 40) || 'Unknown',
  }));
  return {
    title: `Cost by ${by} in ${name}`,
    sentence: `${bars[0]?.name} costs the most: ${money(first.total, currency.currency)}.`,
    figure: {
      // A single bar shows nothing.
      ...(bars.length > 1 && {
        chart: barChart({
          label: `Bars: cost by ${by} in ${name}`,
          bars: bars.map((bar) => ({ name: bar.name, value: shortAmount(bar.total) })),
          series: [{ name: 'Cost', colour: 'teal', values: rows.map(({ total }) => Number(total)) }],
          names: 'above',
          format: (value) => `${value.toLocaleString('en', { maximumFractionDigits: 2 })} ${name}`,
        }),
      }),
      table: {
        caption: `Cost by ${by} in ${name}`,
        columns: [by === 'country' ? 'Country' : 'Product', 'Cost', 'Legs', 'Answered time', 'Per minute'],
        rows: bars.map((bar) => [
          bar.name,
          amount(bar.total),
          bar.legs,
          duration(bar.seconds),
          perMinute(bar.total, bar.seconds),
        ]),
      },
    },
  };
}
