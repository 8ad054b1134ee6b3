import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { progress } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import type { DocumentedView } from './documented-views.ts';
import { type WriteOptions, writeResult } from './write-result.ts';

/** Writes one file for each of these views to a folder, replacing existing files. */
export async function writeViews(
  connection: DuckDBConnection,
  views: readonly DocumentedView[],
  folder: string,
  options: WriteOptions,
  { stderr }: Context,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { format } = options;
  const extension = `${format.name}${format.isCompressed ? '.gz' : ''}`;
  for (const [i, { name }] of views.entries()) {
    progress(stderr, `${i + 1} of ${views.length}: ${name} …`);
    const file = join(folder, `${name}.${extension}`);
    await writeResult(connection, `FROM ${name}`, file, options);
  }
  progress(stderr);
}
