import type { Colour } from './palette.ts';

/** What `mos_band` may be, from the best. */
export const QUALITY_BANDS = [
  { kind: 'excellent', name: 'Excellent', colour: 'blue' },
  { kind: 'good', name: 'Good', colour: 'sky' },
  { kind: 'fair', name: 'Fair', colour: 'amber' },
  { kind: 'poor', name: 'Poor', colour: 'orange' },
  { kind: 'bad', name: 'Bad', colour: 'red' },
] as const satisfies readonly { kind: string; name: string; colour: Colour }[];
