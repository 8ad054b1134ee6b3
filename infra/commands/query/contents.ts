import { resolve } from 'node:path';
import { CHARGE_QUERIES } from '../../analytics/charges/charge-queries.ts';
import { readExports } from '../../analytics/duckdb/export-folder.ts';
import { EXPORT_COLUMNS } from '../../analytics/exports-view.ts';
import { SAVED_QUERIES } from '../../analytics/saved-queries.ts';
import { SESSION_CHANGES } from '../../analytics/session-changes.ts';
import { print } from '../../terminal/output.ts';
import { textTable } from '../../terminal/text-table.ts';
import type { Context } from '../command-line/command.ts';
import { CURRENT_VIEWS, EXPORTS_VIEW, HISTORIES, VIEWS_OF_CHARGES } from './documented-views.ts';

/** Prints the views, their columns and the saved queries. Returns the exit code. */
export function listContents(source: string, { cwd, stdout, stderr }: Context): number {
  // Validates only folders: the list does not depend on the export, so it is not worth a download.
  if (!/^s3:/i.test(source)) readExports(resolve(cwd, source), (text) => print(stderr, text));
  print(stdout, contents(source));
  return 0;
}

function contents(source: string): string {
  const views = [...CURRENT_VIEWS, ...VIEWS_OF_CHARGES, EXPORTS_VIEW, SESSION_CHANGES].map(
    ({ name, description, columns }) =>
      `${name}: ${description}\n${textTable(columns.map((column) => [column.name, column.type, column.description]))}`,
  );
  const histories = HISTORIES.map(({ name }) => name).join(', ');
  return `Views

${views.join('\n\n')}

${histories}: the same for every full export, with these columns first
${textTable(EXPORT_COLUMNS.map((column) => [column.name, column.type, column.description]))}

Saved queries

${textTable([...SAVED_QUERIES, ...CHARGE_QUERIES].map(({ name, question }) => [name, question]))}

Run a saved query, or your own SQL (DuckDB's dialect: https://duckdb.org/docs/sql/introduction):

  npx vss-webhook query ${source} ${SAVED_QUERIES[0]?.name}
  npx vss-webhook query ${source} "SELECT country, count(*) FROM sessions GROUP BY country"`;
}
