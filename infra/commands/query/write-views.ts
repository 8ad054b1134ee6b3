import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../../analytics/dialect.ts';
import { VIEWS, VIEWS_WITH_HISTORY } from '../../analytics/views.ts';
import { progress } from '../../terminal/progress.ts';
import type { ResultFormat } from './result-format.ts';
import { copyOptions } from './write-result.ts';

export const VIEW_NAMES = [
  ...VIEWS.map(({ name }) => name),
  'exports',
  ...VIEWS_WITH_HISTORY.map(({ name }) => `${name}_history`),
];

/** Writes a DuckDB database that has each view as a table, replacing an existing file. */
export async function writeDatabase(connection: DuckDBConnection, file: string): Promise<void> {
  rmSync(file, { force: true });
  await connection.run(`ATTACH ${quoted(file)} AS written`);
  for (const [i, name] of VIEW_NAMES.entries()) {
    progress(`${i + 1} of ${VIEW_NAMES.length}: ${name} …`);
    await connection.run(`CREATE TABLE written.${name} AS FROM ${name}`);
  }
  progress();
  await connection.run('DETACH written');
}

/** Writes one file per view to a folder, replacing existing files. */
export async function writeViews(
  connection: DuckDBConnection,
  folder: string,
  format: ResultFormat,
  timeZone: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const extension = `${format.name}${format.isCompressed ? '.gz' : ''}`;
  for (const [i, name] of VIEW_NAMES.entries()) {
    progress(`${i + 1} of ${VIEW_NAMES.length}: ${name} …`);
    const file = join(folder, `${name}.${extension}`);
    await connection.run(`COPY ${name} TO ${quoted(file)} (${copyOptions(format, timeZone)})`);
  }
  progress();
}
