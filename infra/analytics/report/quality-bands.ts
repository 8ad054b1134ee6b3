import type { Colour } from './palette.ts';

/** The values of `mos_band`, from best to worst. */
export const QUALITY_BANDS = [
  { kind: 'excellent', name: 'Excellent', colour: 'blue' },
  { kind: 'good', name: 'Good', colour: 'sky' },
  { kind: 'fair', name: 'Fair', colour: 'amber' },
  { kind: 'poor', name: 'Poor', colour: 'orange' },
  { kind: 'bad', name: 'Bad', colour: 'red' },
] as const satisfies readonly { kind: string; name: string; colour: Colour }[];
