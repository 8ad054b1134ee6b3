import type { Column } from './view.ts';

/**
 * The columns with personal data: phone numbers, and text from others, which may contain any. The paths of unrecognised
 * fields contain names that the sender chose. Whoever knows the rest of a session can find its numbers by the digest.
 */
const PERSONAL_COLUMNS: ReadonlySet<string> = new Set([
  'source',
  'destination',
  'client_request_id',
  'error_msg',
  'path',
  'value',
  'digest',
]);

/**
 * The query of all rows of a view in DuckDB, with null for personal data. The columns stay, so that the saved queries
 * remain valid.
 */
export function withoutPersonalData(view: { name: string; columns: readonly Column[] }): string {
  const nulls = view.columns
    .filter(({ name }) => PERSONAL_COLUMNS.has(name))
    .map(({ name, type }) => `NULL::${type} AS ${name}`);
  return nulls.length === 0
    ? `FROM ${view.name}`
    : `SELECT * REPLACE (${nulls.join(', ')}) FROM ${view.name}`;
}
