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
  options: WriteOptions & { rowsOf(view: DocumentedView): string },
  { stderr }: Context,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { format } = options;
  const extension = `${format.name}${format.isCompressed ? '.gz' : ''}`;
  for (const [i, view] of views.entries()) {
    progress(stderr, `${i + 1} of ${views.length}: ${view.name} …`);
    const file = join(folder, `${view.name}.${extension}`);
    await writeResult(connection, options.rowsOf(view), file, options);
  }
  progress(stderr);
}
