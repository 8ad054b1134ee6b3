import { COLUMNS, type Column } from '../../../functions/log-export/columns.ts';

export type ChargeField = Exclude<Column, 'SourceEndpoint' | 'DestinationEndpoint'>;

/**
 * The fields of a row in a file of charges: one row per leg, as 8x8's log export names its columns. All values are text.
 * The phone numbers of a row are left out.
 */
export const CHARGE_FIELDS: readonly ChargeField[] = COLUMNS.filter(
  (column) => column !== 'SourceEndpoint' && column !== 'DestinationEndpoint',
);
