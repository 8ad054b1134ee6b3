import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoted } from '../../analytics/dialect.ts';
import { progress } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import type { ResultFormat } from './result-format.ts';
import { writeResult } from './write-result.ts';

/** Writes a DuckDB database that has each of these views as a table. It replaces an existing file once it is complete. */
export async function writeDatabase(
  connection: DuckDBConnection,
  views: readonly string[],
  file: string,
  { stderr }: Context,
): Promise<void> {
  const part = `${file}.part`;
  rmSync(part, { force: true });
  await connection.run(`ATTACH ${quoted(part)} AS written`);
  try {
    for (const [i, name] of views.entries()) {
      progress(stderr, `${i + 1} of ${views.length}: ${name} …`);
      await connection.run(`CREATE TABLE written.${name} AS FROM ${name}`);
    }
    await connection.run('DETACH written');
    // DuckDB would apply what a process that was killed has left to the new database.
    rmSync(`${file}.wal`, { force: true });
    renameSync(part, file);
  } finally {
    progress(stderr);
    for (const each of [part, `${part}.wal`]) rmSync(each, { force: true });
  }
}

/** Writes one file for each of these views to a folder, replacing existing files. */
export async function writeViews(
  connection: DuckDBConnection,
  views: readonly string[],
  folder: string,
  { format, timeZone }: { format: ResultFormat; timeZone: string },
  { stderr }: Context,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const extension = `${format.name}${format.isCompressed ? '.gz' : ''}`;
  for (const [i, name] of views.entries()) {
    progress(stderr, `${i + 1} of ${views.length}: ${name} …`);
    const file = join(folder, `${name}.${extension}`);
    await writeResult(connection, `FROM ${name}`, format, file, timeZone);
  }
  progress(stderr);
}
