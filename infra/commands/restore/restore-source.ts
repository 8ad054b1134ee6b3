import { ExportError } from '../../analytics/duckdb/export.ts';
import { readExports } from '../../analytics/duckdb/export-folder.ts';
import { type Newest, newestOf } from '../../analytics/duckdb/newest-export.ts';
import { sourceFolder } from '../../analytics/duckdb/source-folder.ts';
import { verify } from '../../analytics/duckdb/verify-export.ts';
import { print, progress } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import { exportsIn } from './exported-items.ts';

/** Exports to restore from. */
export interface RestoreSource {
  /** The state of the table to restore, and the newest one in the same exports. */
  restored: Newest;
  newest: Newest;
  tableArn: string | undefined;
  /** The number of items; undefined without manifests. */
  itemCount: number | undefined;
}

/**
 * Reads the manifests of the exports at a source, and verifies the files that a restore needs.
 *
 * @param source A folder, or `s3://BUCKET/PREFIX`.
 * @param asOf The time whose state is to be restored (ISO 8601, UTC, with milliseconds). Default: now.
 * @throws ExportError
 */
export async function openSource(
  source: string,
  asOf: string | undefined,
  context: Context,
): Promise<RestoreSource> {
  const note = (text: string) => print(context.stderr, text);
  const request = { isCached: true, needsHistory: false, needsCharges: false, asOf };
  const folder = await sourceFolder(source, request, context);
  progress(context.stderr, `Reading ${folder} …`);
  try {
    const all = readExports(folder, note, asOf);
    const untilThen = all.filter(({ time }) => time <= (asOf ?? time));
    if (untilThen.length === 0)
      throw new ExportError(`${folder} has no export until ${asOf}: the first one is of ${all[0]?.time}.`);
    const restored = newestOf(untilThen, note);
    const newest = newestOf(all, () => {});
    for (const each of new Set([...exportsIn(restored), ...exportsIn(newest)])) await verify(each);
    const counts = exportsIn(restored).map(({ itemCount }) => itemCount ?? Number.NaN);
    const itemCount = counts.reduce((sum, count) => sum + count, 0);
    return {
      restored,
      newest,
      tableArn: all[0]?.tableArn,
      itemCount: Number.isNaN(itemCount) ? undefined : itemCount,
    };
  } finally {
    progress(context.stderr);
  }
}
