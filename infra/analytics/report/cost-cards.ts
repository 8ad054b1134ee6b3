import * as v from 'valibot';
import { quoted } from '../dialect.ts';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { type Currency, pricedIn } from './charge-facts.ts';
import { columnChart } from './column-chart.ts';
import { amount, currencyName, money, perMinute, Sum, shortAmount } from './money.ts';
import type { MakeCard, Report } from './report.ts';
import { Count, firstGroups, rowsOf } from './rows.ts';
import { HEADINGS, partLabel } from './timeline.ts';
import { counted, duration, number, printable } from './wording.ts';

const SUMS = 'sum(total_price) AS total, coalesce(sum(answered_seconds), 0) AS seconds';
const Total = v.object({ currency: v.string(), legs: Count, total: Sum, seconds: Count });

const totals: MakeCard = async ({ connection, charges }) => {
  if (!charges) return undefined;
  const { legs, unpriced } = charges;
  const rows = await rowsOf(
    connection,
    Total,
    `SELECT currency, count(*) AS legs, ${SUMS}
FROM charge_facts WHERE total_price IS NOT NULL GROUP BY 1 ORDER BY legs DESC, 1`,
  );
  const title = 'What calls cost';
  if (rows.length === 0) return { title, sentence: 'No leg has a readable price.' };
  const all = rows.map(({ total, currency }) => money(total, currency)).join(', ');
  const without =
    unpriced === 0
      ? ''
      : ` Of ${counted(legs, 'leg')}, ${number(unpriced)} ${unpriced === 1 ? 'has' : 'have'} no readable price.`;
  return {
    title,
    sentence: `In 8x8’s log export, ${counted(legs - unpriced, 'leg')} cost ${all}.${without}`,
    figure: {
      table: {
        caption: 'Cost by currency',
        columns: ['Currency', 'Cost', 'Legs', 'Answered time', 'Per minute'],
        rows: rows.map(({ currency, ...row }) => [currencyName(currency), ...costCells(row)]),
      },
    },
  };
};

/** The cells below `Cost`, `Legs`, `Answered time` and `Per minute`. */
const costCells = ({ total, legs, seconds }: { total: Sum; legs: number; seconds: number }) => [
  amount(total),
  legs,
  duration(seconds),
  perMinute(total, seconds),
];

/** Formats a value on hover. */
const inCurrency = (name: string) => (value: number) =>
  `${value.toLocaleString('en', { maximumFractionDigits: 2 })} ${name}`;

const Part = v.object({ part: v.string(), total: Sum, legs: Count });
const NOTHING = '0.000000000000';

/** Legs of days without sessions are only in the table. */
async function overTime({ connection, timeline }: Report, currency: Currency): Promise<Card | undefined> {
  if (!timeline) return undefined;
  const { parts, unit, sql } = timeline;
  const listed = parts.map(quoted).join(', ');
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT CASE WHEN ${sql} IN (${listed}) THEN ${sql} ELSE '' END AS part, sum(total_price) AS total, count(*) AS legs
FROM charge_facts WHERE ${pricedIn(currency)} GROUP BY ALL ORDER BY total DESC, part`,
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
    figure: columnChart({
      labels: parts.map((part) => partLabel(part, unit)),
      series: [{ name: '', colour: 'teal', values: parts.map((part) => Number(of(part)?.total ?? 0)) }],
      format: inCurrency(name),
      table: {
        caption: `Cost by ${unit} in ${name}`,
        columns: [HEADINGS[unit], 'Cost', 'Legs'],
        rows: [
          ...parts.map((part) => [part, amount(of(part)?.total ?? NOTHING), of(part)?.legs ?? 0]),
          ...(outside ? [['Not in the chart', amount(outside.total), outside.legs]] : []),
        ],
      },
    }),
  };
}

const Group = v.object({ part: v.string(), members: Count, legs: Count, total: Sum, seconds: Count });

/** The number of countries or products with their own bar. The others share a bar. */
const MAX_GROUPS = 12;

async function by(
  key: 'country' | 'product',
  { connection }: Report,
  currency: Currency,
): Promise<Card | undefined> {
  const rows = await rowsOf(
    connection,
    Group,
    firstGroups(
      `SELECT ${key} AS part, count(*) AS legs, ${SUMS} FROM charge_facts WHERE ${pricedIn(currency)} GROUP BY 1`,
      {
        order: 'total DESC, part',
        limit: MAX_GROUPS,
        key: 'min(part) AS part',
        sums: ['legs', 'total', 'seconds'],
      },
    ),
  );
  const name = currencyName(currency.currency);
  const bars = rows.map((row) => {
    const part = row.members > 1 ? `${number(row.members)} others` : printable(row.part, 40) || 'Unknown';
    return { name: part, value: shortAmount(row.total), cells: [part, ...costCells(row)] };
  });
  const [first] = rows;
  if (!first) return undefined;
  const columns = [key === 'country' ? 'Country' : 'Product', 'Cost', 'Legs', 'Answered time', 'Per minute'];
  const { chart, table } = barChart({
    caption: `Cost by ${key} in ${name}`,
    columns,
    bars,
    series: [{ name: '', colour: 'teal', values: rows.map(({ total }) => Number(total)) }],
    format: inCurrency(name),
  });
  return {
    title: `Cost by ${key} in ${name}`,
    sentence: `${bars[0]?.name} costs the most: ${money(first.total, currency.currency)}.`,
    // A single bar shows nothing.
    figure: { ...(bars.length > 1 && { chart }), table },
  };
}

/** The number of currencies with their own charts. */
const MAX_CURRENCIES = 3;

const byCurrency: MakeCard = async (report) => {
  const cards: (Card | undefined)[] = [];
  for (const currency of report.charges?.currencies.slice(0, MAX_CURRENCIES) ?? [])
    cards.push(
      await overTime(report, currency),
      await by('country', report, currency),
      await by('product', report, currency),
    );
  return cards;
};

/** What calls cost: in total, and for each currency over time, by country and by product. */
export const COST_CARDS: readonly MakeCard[] = [totals, byCurrency];
