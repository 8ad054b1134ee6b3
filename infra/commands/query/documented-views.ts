import { CHARGE_VIEWS } from '../../analytics/charges/charge-views.ts';
import { EXPORT_COLUMNS, EXPORTS_COLUMNS } from '../../analytics/exports-view.ts';
import { SESSION_CHANGES } from '../../analytics/session-changes.ts';
import { type Column, columnsOf } from '../../analytics/view.ts';
import { VIEWS, VIEWS_WITH_HISTORY } from '../../analytics/views.ts';

/** A view as people see it. */
export interface DocumentedView {
  name: string;
  description: string;
  columns: readonly Column[];
}

export const EXPORTS_VIEW: DocumentedView = {
  name: 'exports',
  description: 'One row per complete export',
  columns: EXPORTS_COLUMNS,
};

const documented = <V extends (typeof VIEWS)[number]>(view: V): DocumentedView => ({
  name: view.name,
  description: view.description,
  columns: columnsOf(view),
});

export const CURRENT_VIEWS: readonly DocumentedView[] = VIEWS.map(documented);
export const VIEWS_OF_CHARGES: readonly DocumentedView[] = CHARGE_VIEWS.map(documented);
export const HISTORIES: readonly DocumentedView[] = VIEWS_WITH_HISTORY.map((view) => ({
  name: `${view.name}_history`,
  description: `${view.description}, in every full export`,
  columns: [...EXPORT_COLUMNS, ...columnsOf(view)],
}));

/** The views that every export has, in the order in which they refer to each other. */
export const EXPORT_VIEWS: readonly DocumentedView[] = [
  ...CURRENT_VIEWS,
  EXPORTS_VIEW,
  SESSION_CHANGES,
  ...HISTORIES,
];
