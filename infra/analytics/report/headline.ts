import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Charges } from './charge-facts.ts';
import { MEAN_MOS } from './facts.ts';
import { currencyName, money, shortAmount } from './money.ts';
import { Count, rowsOf } from './rows.ts';
import { counted, decimal, duration, number, percent, signed } from './wording.ts';

const Totals = v.object({
  sessions: Count,
  answered: Count,
  failed: Count,
  opt_outs: Count,
  opt_outs_failed: Count,
  already_opted_out: Count,
  conflicts: Count,
  incomplete: Count,
  median: v.nullable(Count),
  mos: v.nullable(v.number()),
  scored: Count,
});
export type Totals = v.InferOutput<typeof Totals>;

/** The number of further currencies in the key figure. */
const MAX_CURRENCIES = 2;

/** A key figure. */
export interface HeadlineFigure {
  name: string;
  value: string;
  /** The absolute number, the share, or what is not included. */
  note?: string;
  /** The change since the previous period. */
  change?: string;
}

/**
 * Reads the key figures.
 *
 * @param period Prefix of the tables with the facts of a period.
 */
export async function readTotals(connection: DuckDBConnection, period = ''): Promise<Totals> {
  const [totals] = await rowsOf(
    connection,
    Totals,
    `SELECT count(*) AS sessions,
  count(*) FILTER (WHERE outcome = 'answered') AS answered,
  count(*) FILTER (WHERE outcome = 'failed') AS failed,
  count(*) FILTER (WHERE session_status = 'COMPLETED_UNSUBSCRIBED') AS opt_outs,
  count(*) FILTER (WHERE session_status = 'COMPLETED_UNSUB_ERROR') AS opt_outs_failed,
  count(*) FILTER (WHERE session_status = 'UNSUBSCRIBED_CONTACT') AS already_opted_out,
  count(*) FILTER (WHERE summary_count > 1) AS conflicts,
  count(*) FILTER (WHERE is_incomplete) AS incomplete,
  quantile_disc(talk_seconds, 0.5) FILTER (WHERE talk_seconds > 0) AS median,
  (SELECT ${MEAN_MOS} FROM ${period}leg_facts) AS mos,
  (SELECT count(mos) FROM ${period}leg_facts) AS scored
FROM ${period}session_facts`,
  );
  if (!totals) throw new Error('A query for totals returned no row');
  return totals;
}

/**
 * The key figures of a period.
 *
 * @param before The totals of the period before, if it had sessions.
 * @param cost The key figure of the costs, if there are any.
 */
export function headlineOf(
  totals: Totals,
  before: Totals | undefined,
  cost: HeadlineFigure | undefined,
): readonly HeadlineFigure[] {
  const { sessions, answered, failed, opt_outs, conflicts, incomplete, median, mos, scored } = totals;
  const others = [
    ...(totals.opt_outs_failed > 0 ? [`${number(totals.opt_outs_failed)} failed`] : []),
    ...(totals.already_opted_out > 0 ? [`${number(totals.already_opted_out)} earlier`] : []),
  ];
  const change = (text: (before: Totals) => string | undefined) => {
    const changed = before && text(before);
    return changed === undefined ? {} : { change: changed };
  };
  const points = (part: keyof Totals) =>
    change((then) =>
      sessions === 0
        ? undefined
        : `${signed(100 * (Number(totals[part]) / sessions - Number(then[part]) / then.sessions), 1)} points`,
    );
  return [
    {
      name: 'Sessions',
      value: number(sessions),
      ...change((then) => `${signed(100 * (sessions / then.sessions - 1), 1)}%`),
    },
    {
      name: 'Answered',
      value: percent(answered, sessions),
      note: counted(answered, 'session'),
      ...points('answered'),
    },
    {
      name: 'Failed',
      value: percent(failed, sessions),
      note: counted(failed, 'session'),
      ...points('failed'),
    },
    {
      name: 'Median talk time',
      value: median === null ? '–' : duration(median),
      ...change((then) => (then.median === null ? undefined : `was ${duration(then.median)}`)),
    },
    {
      name: 'Mean MOS',
      value: mos === null ? '–' : decimal(mos),
      note: counted(scored, 'leg'),
      ...change((then) => (then.mos === null || mos === null ? undefined : signed(mos - then.mos, 2))),
    },
    {
      name: 'Opt-outs',
      value: number(opt_outs),
      ...(others.length > 0 && { note: `without ${others.join(' and ')}` }),
    },
    { name: 'Conflicts', value: number(conflicts), note: percent(conflicts, sessions) },
    { name: 'Incomplete', value: number(incomplete), note: percent(incomplete, sessions) },
    ...(cost ? [cost] : []),
  ];
}

/**
 * The key figure of the costs: in the currency of most legs, with the other currencies as a note. Undefined without prices.
 *
 * @param last The last day that a report covers, which the charges may not reach.
 */
export function costFigure({ currencies, last: charged }: Charges, last: string): HeadlineFigure | undefined {
  const [first, ...others] = currencies;
  if (!first) return undefined;
  const also = others.slice(0, MAX_CURRENCIES).map(({ total, currency }) => money(total, currency));
  return {
    name: `Cost in ${currencyName(first.currency)}`,
    value: shortAmount(first.total),
    note: [
      ...also.map((each) => `and ${each}`),
      ...(others.length > MAX_CURRENCIES ? [`and others`] : []),
      ...(charged < last ? [`until ${charged}`] : []),
    ].join(', '),
  };
}
