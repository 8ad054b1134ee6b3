import type { Colour } from './palette.ts';

/** What `outcome` may be, in the order in which it is stacked. Each has the same colour in all charts. */
export const OUTCOMES = [
  { kind: 'answered', name: 'Answered', colour: 'blue' },
  { kind: 'unanswered', name: 'Unanswered', colour: 'amber' },
  { kind: 'failed', name: 'Failed', colour: 'red' },
  { kind: 'opted_out', name: 'Opted out', colour: 'purple' },
  { kind: 'other', name: 'Other', colour: 'grey' },
] as const satisfies readonly { kind: string; name: string; colour: Colour }[];

export const OUTCOME_KINDS = OUTCOMES.map(({ kind }) => kind);
