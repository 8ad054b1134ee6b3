import { CHARGE_VIEWS } from '../../analytics/charges/charge-views.ts';
import { VIEWS, VIEWS_WITH_HISTORY } from '../../analytics/views.ts';

export const VIEW_NAMES = [
  ...VIEWS.map(({ name }) => name),
  'exports',
  ...VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`),
];

export const CHARGE_VIEW_NAMES = CHARGE_VIEWS.map(({ name }) => name);
