import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import type { Charges } from './charge-facts.ts';
import { costBy } from './cost-by.ts';
import { costOverTime } from './cost-over-time.ts';
import { amount, currencyName, money, perMinute, Sum } from './money.ts';
import { Count, rowsOf } from './rows.ts';
import type { Timeline } from './timeline.ts';
import { counted, duration, number } from './wording.ts';

const Total = v.object({ currency: v.string(), legs: Count, total: Sum, seconds: Count });

/** The number of currencies with their own charts. */
const MAX_CURRENCIES = 3;

/** What calls cost: in total, and for each currency over time, by country and by product. */
export async function costs(
  connection: DuckDBConnection,
  charges: Charges,
  timeline: Timeline | undefined,
): Promise<(Card | undefined)[]> {
  const cards: (Card | undefined)[] = [await totals(connection, charges)];
  for (const currency of charges.currencies.slice(0, MAX_CURRENCIES)) {
    cards.push(await costOverTime(connection, timeline, currency));
    cards.push(await costBy(connection, 'country', currency));
    cards.push(await costBy(connection, 'product', currency));
  }
  return cards;
}

async function totals(connection: DuckDBConnection, { legs, unpriced }: Charges): Promise<Card> {
  const rows = await rowsOf(
    connection,
    Total,
    `SELECT currency, count(*) AS legs, sum(total_price)::varchar AS total, coalesce(sum(answered_seconds), 0) AS seconds
FROM charge_facts WHERE total_price IS NOT NULL GROUP BY 1 ORDER BY legs DESC, 1`,
  );
  const all = rows.map(({ total, currency }) => money(total, currency)).join(', ');
  const without =
    unpriced === 0
      ? ''
      : ` Of ${counted(legs, 'leg')}, ${number(unpriced)} ${unpriced === 1 ? 'has' : 'have'} no readable price.`;
  return {
    title: 'What calls cost',
    sentence: `${rows.length === 0 ? 'No leg has a readable price.' : `In 8x8’s log export, ${counted(legs - unpriced, 'leg')} cost ${all}.`}${rows.length === 0 ? '' : without}`,
    ...(rows.length > 0 && {
      figure: {
        table: {
          caption: 'Cost by currency',
          columns: ['Currency', 'Cost', 'Legs', 'Answered time', 'Per minute'],
          rows: rows.map(({ currency, total, legs: priced, seconds }) => [
            currencyName(currency),
            amount(total),
            priced,
            duration(seconds),
            perMinute(total, seconds),
          ]),
        },
      },
    }),
  };
}
