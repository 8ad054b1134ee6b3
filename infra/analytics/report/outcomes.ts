import type { OUTCOMES as DEFINED } from '../derived-columns.ts';
import type { Colour } from './palette.ts';

type Outcome = keyof typeof DEFINED | 'other';

const STYLES = {
  answered: { name: 'Answered', colour: 'blue' },
  unanswered: { name: 'Unanswered', colour: 'amber' },
  failed: { name: 'Failed', colour: 'red' },
  opted_out: { name: 'Opted out', colour: 'purple' },
  other: { name: 'Other', colour: 'grey' },
} as const satisfies Readonly<Record<Outcome, { name: string; colour: Colour }>>;

const kinds = ['answered', 'unanswered', 'failed', 'opted_out', 'other'] as const;

/** The values of `outcome`, in stacking order. Each has the same colour in all charts. */
export const OUTCOMES = kinds.map((kind) => ({ kind, ...STYLES[kind] }));
