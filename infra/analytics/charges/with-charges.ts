import { type Column, columnsOf, type DefinedColumn, type View } from '../view.ts';
import { callLegs, sessions } from '../views.ts';
import { callCharges } from './call-charges.ts';

/** The legs with their charges. A leg is in `call_charges` at most once, so the join repeats no leg. */
export const callLegsWithCharges: View = {
  name: 'call_legs_with_charges',
  description: 'One row per leg of a session, with its charges if the log export has it',
  parts: () => [
    {
      from: 'call_legs AS recorded LEFT JOIN call_charges AS charged ON charged.session_id = recorded.session_id AND charged.call_id = recorded.call_id',
      columns: [...from('recorded', columnsOf(callLegs)), ...from('charged', ofLegs)],
    },
  ],
  derived: [],
};

/** The columns of `call_charges` that `call_legs` does not have. */
const ofLegs = columnsOf(callCharges).filter(
  ({ name }) => !columnsOf(callLegs).some((column) => column.name === name),
);

/** The sessions with the charges of their legs. */
export const sessionsWithCharges: View = {
  name: 'sessions_with_charges',
  description: 'One row per session, with the charges of its legs',
  parts: ({ types }) => [
    {
      from: `sessions AS recorded LEFT JOIN (
    SELECT session_id, count(*) AS charged_legs, count(total_price) AS priced_legs, sum(billed_seconds) AS billed_seconds,
      min(currency) FILTER (WHERE total_price IS NOT NULL) AS least_currency,
      max(currency) FILTER (WHERE total_price IS NOT NULL) AS greatest_currency,
      TRY_CAST(sum(total_price) AS ${types.decimal}) AS total_price
    FROM call_charges GROUP BY session_id
  ) AS charged ON charged.session_id = recorded.session_id`,
      columns: [...from('recorded', columnsOf(sessions)), ...ofSessions],
    },
  ],
  derived: [],
};

const inOneCurrency = (sql: string) => `CASE WHEN least_currency = greatest_currency THEN ${sql} END`;

const ofSessions: readonly DefinedColumn[] = [
  {
    name: 'total_price',
    type: 'decimal',
    description: 'price of all legs; null if no leg has one, or if they are in several currencies',
    sql: () => inOneCurrency('charged.total_price'),
  },
  {
    name: 'currency',
    type: 'varchar',
    description: 'currency of `total_price`; null like it',
    sql: () => inOneCurrency('least_currency'),
  },
  {
    name: 'billed_seconds',
    type: 'bigint',
    description: 'seconds of all legs that are billed; null if no leg has a number of seconds',
    sql: () => 'charged.billed_seconds',
  },
  {
    name: 'charged_legs',
    type: 'bigint',
    description: 'number of legs in `call_charges`',
    sql: () => 'coalesce(charged.charged_legs, 0)',
  },
  {
    name: 'priced_legs',
    type: 'bigint',
    description: 'number of legs in `call_charges` with a price',
    sql: () => 'coalesce(charged.priced_legs, 0)',
  },
];

/** The columns of a relation. */
function from(relation: string, columns: readonly Column[]): DefinedColumn[] {
  return columns.map((column) => ({ ...column, sql: () => `${relation}.${column.name}` }));
}
