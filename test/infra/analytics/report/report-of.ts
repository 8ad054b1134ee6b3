import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { callCharges } from '../../../../infra/analytics/charges/call-charges.ts';
import { DUCKDB, quoted } from '../../../../infra/analytics/dialect.ts';
import { type Card, cardMarkup } from '../../../../infra/analytics/report/card.ts';
import { makePage, type PageOptions, readReport } from '../../../../infra/analytics/report/page.ts';
import type { MakeCard } from '../../../../infra/analytics/report/report.ts';
import { columnsOf } from '../../../../infra/analytics/view.ts';
import { VIEWS } from '../../../../infra/analytics/views.ts';

/** A row of a view. Columns that are left out are null, except those that every row has. */
type Row = Readonly<Record<string, string | number | boolean | null>>;

/** The rows of the views that a report reads. */
export interface Rows {
  sessions?: readonly Row[];
  call_legs?: readonly Row[];
  call_charges?: readonly Row[];
  unrecognised_fields?: readonly Row[];
}

const DAY = '2026-01-13';
const OPTIONS: PageOptions = { time: '2026-11-21T02:00:00Z', timeZone: 'UTC', scope: {} };

/** The columns of a session or its legs that started then. */
export const started = (day: string, hour = 8, minute = 0): Row => ({
  start_time: `${day} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00Z`,
  start_date: day,
  session_date: day,
  start_hour: hour,
});

/** The columns of a session whose start is unknown. */
export const undated: Row = { start_time: null, start_date: null, start_hour: null };

/** As many rows as asked for. Their ids start with a text. */
export const times = (count: number, id: string, row: Row): Row[] =>
  Array.from({ length: count }, (_, i) => ({ session_id: `${id}-${i}`, ...row }));

const DEFAULTS = new Map<string, Row>(
  Object.entries({
    sessions: {
      ...started(DAY),
      received_at: `${DAY} 09:00:00Z`,
      sub_account_id: '8x8_test',
      session_status: 'COMPLETED',
      outcome: 'answered',
      summary_count: 1,
      is_incomplete: false,
      talk_seconds: 0,
      unrecognised_count: 0,
      implausible_count: 0,
    },
    call_legs: {
      ...started(DAY),
      received_at: `${DAY} 09:00:00Z`,
      sub_account_id: '8x8_test',
      route: '??-??',
    },
    call_charges: {
      sub_account_id: '8x8_test',
      export_day: DAY,
      charge_date: DAY,
      currency: 'USD',
      total_price: 0.012,
      duration_seconds: 30,
      connected_timestamp: `${DAY} 08:00:00Z`,
      destination_country: 'Philippines',
      product: 'Voice Messaging',
      call_status: 'COMPLETED',
    },
    unrecognised_fields: { session_date: DAY, sub_account_id: '8x8_test' },
  } satisfies Record<keyof Rows, Row>),
);

const instance = DuckDBInstance.create(':memory:', { threads: '1' });

/** Passes a database with these rows as views to `use`: opening an export takes a hundred times longer. */
async function withRows<T>(
  rows: Rows,
  timeZone: string,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const given = new Map<string, readonly Row[]>(Object.entries(rows));
  const connection = await (await instance).connect();
  try {
    await connection.run(`SET TimeZone = ${quoted(timeZone)}`);
    for (const view of [...VIEWS, callCharges]) {
      const { name } = view;
      const defaults = DEFAULTS.get(name);
      if (!defaults) continue;
      const columns = columnsOf(view);
      const definitions = columns.map((column) => `${column.name} ${DUCKDB.types[column.type]}`);
      await connection.run(`CREATE TEMP TABLE ${name} (${definitions.join(', ')})`);
      const values = (given.get(name) ?? []).map((row, i) => {
        const cells = new Map(Object.entries({ session_id: `${name}-${i}`, ...defaults, ...row }));
        return `(${columns.map((column) => literal(cells.get(column.name))).join(', ')})`;
      });
      if (values.length > 0) await connection.run(`INSERT INTO ${name} VALUES ${values.join(', ')}`);
    }
    return await use(connection);
  } finally {
    connection.closeSync();
  }
}

const literal = (value: Row[string] | undefined) =>
  typeof value === 'string' ? quoted(value) : String(value ?? 'NULL');

/** Makes cards of these rows, and returns the text of each by its title, and its markup. */
export async function cardsOf(
  makers: readonly MakeCard[],
  rows: Rows,
  options: Partial<PageOptions> = {},
): Promise<{ text(title: string): string; titles: string[]; markup: string }> {
  const all = { ...OPTIONS, ...options };
  return withRows(rows, all.timeZone, async (connection) => {
    const report = await readReport(connection, all);
    const cards: Card[] = [];
    for (const make of makers)
      cards.push(...[await make(report)].flat().filter((card) => card !== undefined));
    const texts = new Map(cards.map((card) => [card.title, textOf(cardMarkup(card).markup)]));
    return {
      titles: [...texts.keys()],
      markup: cards.map((card) => cardMarkup(card).markup).join(''),
      text(title) {
        const found = texts.get(title);
        if (found === undefined) throw new Error(`There is no card ${title}, only ${[...texts.keys()]}`);
        return found;
      },
    };
  });
}

/** The page of these rows. */
export function pageOf(rows: Rows, options: Partial<PageOptions> = {}): Promise<string> {
  const all = { ...OPTIONS, ...options };
  return withRows(rows, all.timeZone, async (connection) => (await makePage(connection, all)).html);
}

/** The text of markup, on one line. */
export const textOf = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** The text of the card with this title in a page. */
export function cardIn(page: string, title: string): string {
  const found = page.split('<section').find((section) => section.includes(`<h2>${title}</h2>`));
  if (found === undefined) throw new Error(`The page has no card ${title}`);
  return textOf(`<section${found}`);
}
