import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';

/**
 * Reads the exports of a table in a folder that is laid out as DynamoDB writes exports to S3. Each export has
 * `AWSDynamoDB/ID/manifest-summary.json` and `manifest-files.json`. The data files of a full export are in
 * `AWSDynamoDB/ID/data/`, those of an incremental export in `AWSDynamoDB/data/`.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
 */

/** A data file of an export. */
export interface DataFile {
  path: string;
  itemCount: number;
  /** In base64. */
  md5Checksum: string;
}

/** A complete export. */
export interface Export {
  /** DynamoDB's id of the export. It starts with the time of the request, so later exports have greater ids. */
  id: string;
  type: 'full' | 'incremental';
  tableArn: string;
  /** The point in time whose table state the export contains (ISO 8601, UTC, with milliseconds). */
  time: string;
  /** The scheduled time, which is part of the S3 prefix; without one, `time` in whole seconds. */
  scheduled: string;
  /** The start of the period whose changes an incremental export contains. */
  from?: string | undefined;
  itemCount: number;
  /** Without empty files. */
  files: readonly DataFile[];
}

/** An export cannot be read. The message tells the user of the command why, and what was expected. */
export class ExportError extends Error {
  override name = 'ExportError';
}

const Summary = v.object({
  exportArn: v.string(),
  tableArn: v.string(),
  exportType: v.optional(v.picklist(['FULL_EXPORT', 'INCREMENTAL_EXPORT']), 'FULL_EXPORT'),
  exportTime: v.optional(v.string()),
  exportFromTime: v.optional(v.string()),
  exportToTime: v.optional(v.string()),
  itemCount: v.number(),
  outputFormat: v.string(),
  s3Prefix: v.nullish(v.string(), ''),
});

const ManifestLine = v.object({ itemCount: v.number(), md5Checksum: v.string(), dataFileS3Key: v.string() });

/**
 * Finds the exports of one table in a folder, at any depth, and returns them in chronological order.
 *
 * @param notice Called with a message for each incomplete export, which is ignored.
 * @throws ExportError if there is no complete export, exports of several tables, or an invalid export.
 */
export function readExports(folder: string, notice: (text: string) => void): Export[] {
  if (!existsSync(folder)) throw new ExportError(`${folder} does not exist.`);
  if (!statSync(folder).isDirectory())
    throw new ExportError(`${folder} is a file: expected the folder of an export.`);
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const { parentPath } of found.filter(({ name }) => name === '_started')) {
    if (!existsSync(join(parentPath, MANIFEST_SUMMARY)) || !existsSync(join(parentPath, MANIFEST_FILES)))
      notice(`Ignored the export ${basename(parentPath)}: it is incomplete.`);
  }
  const read = found
    .filter(({ name }) => name === MANIFEST_SUMMARY)
    .filter(({ parentPath }) => existsSync(join(parentPath, MANIFEST_FILES)))
    .map(({ parentPath }) => readExport(parentPath));
  // A folder may contain several copies of an export.
  const exports = [...new Map(read.map((each) => [each.id, each])).values()].sort((a, b) =>
    a.time < b.time || (a.time === b.time && a.id < b.id) ? -1 : 1,
  );
  if (exports.length === 0) {
    throw new ExportError(
      `${folder} contains no complete DynamoDB export: expected ${MANIFEST_SUMMARY}, ${MANIFEST_FILES} and a folder "data" in it or in a subfolder.`,
    );
  }
  const tables = [...new Set(exports.map(({ tableArn }) => tableArn))];
  if (tables.length > 1) {
    throw new ExportError(
      `${folder} contains exports of several tables: ${tables.join(', ')}. Name a folder with the exports of one.`,
    );
  }
  return exports;
}

export const MANIFEST_SUMMARY = 'manifest-summary.json';
export const MANIFEST_FILES = 'manifest-files.json';

function readExport(folder: string): Export {
  const summary = readManifest(join(folder, MANIFEST_SUMMARY), Summary, (text) => [text])[0];
  const lines = readManifest(join(folder, MANIFEST_FILES), ManifestLine, (text) =>
    text.split('\n').filter((line) => line.trim() !== ''),
  );
  if (summary === undefined) throw new ExportError(`${join(folder, MANIFEST_SUMMARY)} is empty.`);
  if (summary.outputFormat !== 'DYNAMODB_JSON') {
    throw new ExportError(
      `The export in ${folder} has the format ${summary.outputFormat}: expected DYNAMODB_JSON, the default of DynamoDB.`,
    );
  }
  const listed = lines.reduce((sum, { itemCount }) => sum + itemCount, 0);
  if (listed !== summary.itemCount) {
    throw new ExportError(
      `The export in ${folder} is inconsistent: ${MANIFEST_SUMMARY} counts ${summary.itemCount} items, ${MANIFEST_FILES} ${listed}. Fetch it again.`,
    );
  }
  const isFull = summary.exportType === 'FULL_EXPORT';
  const time = isFull ? summary.exportTime : summary.exportToTime;
  if (time === undefined)
    throw new ExportError(`${join(folder, MANIFEST_SUMMARY)} does not contain the time of the export.`);
  return {
    id: summary.exportArn.replace(/^.*\//, ''),
    type: isFull ? 'full' : 'incremental',
    tableArn: summary.tableArn,
    time: inUtc(time, folder),
    scheduled:
      /[^/]+T\d\d:\d\d:\d\dZ/.exec(summary.s3Prefix)?.[0] ?? inUtc(time, folder).replace(/\.\d+/, ''),
    from: isFull || summary.exportFromTime === undefined ? undefined : inUtc(summary.exportFromTime, folder),
    itemCount: summary.itemCount,
    files: lines
      .filter(({ itemCount }) => itemCount > 0)
      .map(({ dataFileS3Key, ...line }) => ({ path: dataFile(folder, dataFileS3Key), ...line })),
  };
}

function inUtc(time: string, folder: string): string {
  if (Number.isNaN(Date.parse(time))) throw new ExportError(`"${time}" in ${folder} is not a valid time.`);
  return new Date(time).toISOString();
}

function readManifest<S extends v.GenericSchema>(
  path: string,
  schema: S,
  split: (text: string) => string[],
): v.InferOutput<S>[] {
  return split(readFileSync(path, 'utf8')).map((text) => {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
    if (parsed.success) return parsed.output;
    const places = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'not JSON');
    throw new ExportError(
      `${path} is not a manifest of a DynamoDB export. Missing or malformed: ${places.join(', ')}`,
    );
  });
}

/** Finds a data file by its S3 key, whose prefix may be missing in a copy. */
function dataFile(folder: string, key: string): string {
  const candidates = [folder, dirname(folder)].map((parent) => join(parent, 'data', basename(key)));
  const path = candidates.find(existsSync);
  if (path === undefined)
    throw new ExportError(
      `The data file ${basename(key)} of the export in ${folder} is missing. Fetch it again.`,
    );
  return path;
}
