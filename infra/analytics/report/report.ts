import type { DuckDBConnection } from '@duckdb/node-api';
import type { Card } from './card.ts';
import type { Charges } from './charge-facts.ts';
import type { Scope } from './facts.ts';
import type { Totals } from './headline.ts';
import type { Period } from './period.ts';
import type { Timeline } from './timeline.ts';

/** What the cards of a report are made of. */
export interface Report {
  /** Has the tables of `readFacts` and `readCharges`. */
  connection: DuckDBConnection;
  scope: Scope;
  timeZone: string;
  totals: Totals;
  period: Period;
  /** The time of the sessions. Undefined if none has a plausible start date. */
  timeline: Timeline | undefined;
  /** Undefined if there are none. */
  charges: Charges | undefined;
}

/** Makes a card, or several of one kind. Returns undefined if there is nothing to show. */
export type MakeCard = (report: Report) => Promise<Card | readonly (Card | undefined)[] | undefined>;
