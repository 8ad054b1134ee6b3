/** Data that the exports lack, so that numbers are wrong. */
export interface Incomplete {
  data: 'sessions' | 'charges';
  /** The first day (UTC) or time (ISO 8601) of what is missing. Undefined if everything before `to` may be missing. */
  from?: string | undefined;
  /** The last day, or the time at which it ends. Without `from` and `to`, it is unknown when data is missing. */
  to?: string | undefined;
  /** Sentences for readers of the numbers: the cause, and what it does to the numbers. */
  text: string;
}

/** Receives a message for the person at the terminal, and what readers of the numbers have to know. */
export type Notice = (text: string, incomplete?: Incomplete) => void;
