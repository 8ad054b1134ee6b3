import type { View } from '../view.ts';
import { callCharges } from './call-charges.ts';
import { callLegsWithCharges, sessionsWithCharges } from './with-charges.ts';

/** The views of charges, in the order in which they refer to each other. */
export const CHARGE_VIEWS: readonly View[] = [callCharges, callLegsWithCharges, sessionsWithCharges];
