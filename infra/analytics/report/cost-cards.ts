import * as v from 'valibot';
import { barChart } from './bar-chart.ts';
import type { Card } from './card.ts';
import { type Currency, pricedIn } from './charge-facts.ts';
import { columnChart } from './column-chart.ts';
import { amount, currencyName, money, perMinute, Sum, shortAmount } from './money.ts';
import type { MakeCard, Report } from './report.ts';
import { Count, firstGroups, rowsOf } from './rows.ts';
import { HEADINGS } from './timeline.ts';
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

/** Legs without a plausible day, or of one that is too old, are only in the table. */
async function overTime({ connection, charges }: Report, currency: Currency): Promise<Card | undefined> {
  if (!charges?.timeline) return undefined;
  const { parts, unit, sql, note } = charges.timeline;
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT ${sql} AS part, sum(total_price) AS total, count(*) AS legs
FROM charge_facts WHERE ${pricedIn(currency)} GROUP BY ALL ORDER BY total DESC, part`,
  );
  const name = currencyName(currency.currency);
  const of = (start: string) => rows.find(({ part }) => part === start) ?? { total: NOTHING, legs: 0 };
  const outside = of('');
  const most = rows.find(({ part }) => part !== '');
  const label = parts.find(({ start }) => start === most?.part)?.label;
  const sentences = [
    most
      ? `The most expensive ${unit} is ${label}, with ${money(most.total, currency.currency)}.`
      : 'No leg with a price has a plausible day.',
    outside.legs > 0
      ? `The chart excludes ${money(outside.total, currency.currency)} of ${counted(outside.legs, 'leg')} with an implausible or too old day.`
      : '',
  ];
  return {
    title: `Cost over time in ${name}`,
    sentence: sentences.join(' ').trim(),
    figure: columnChart({
      columns: parts,
      series: [{ name: '', colour: 'teal', values: parts.map(({ start }) => Number(of(start).total)) }],
      format: inCurrency(name),
      note,
      table: {
        caption: `Cost by ${unit} in ${name}`,
        columns: [HEADINGS[unit], 'Cost', 'Legs'],
        rows: [...parts, ...(outside.legs > 0 ? [{ start: '', name: 'Not in the chart' }] : [])].map(
          ({ start, name: part }) => [part, amount(of(start).total), of(start).legs],
        ),
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
    const group = row.part === '' ? 'Unknown' : printable(row.part, 40);
    const part = row.members > 1 ? `${number(row.members)} others` : group;
    return {
      name: part,
      value: shortAmount(row.total),
      cells: [part, ...costCells(row)],
      isRest: row.members > 1,
    };
  });
  const [first] = rows;
  if (!first) return undefined;
  const columns = [key === 'country' ? 'Country' : 'Product', 'Cost', 'Legs', 'Answered time', 'Per minute'];
  const { chart, note, table } = barChart({
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
    figure: { ...(bars.length > 1 && { chart, note }), table },
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
