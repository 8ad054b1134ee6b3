import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';

/**
 * Exports of a table as DynamoDB writes them to S3, in a folder: `AWSDynamoDB/ID/manifest-summary.json` and
 * `manifest-files.json`; the data of a full export in `AWSDynamoDB/ID/data/`, of an incremental one in
 * `AWSDynamoDB/data/`.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
 */

/** A file of an export. */
export interface DataFile {
  path: string;
  itemCount: number;
  /** Of the file, in base64. */
  md5Checksum: string;
}

/** An export that is complete. */
export interface Export {
  /** DynamoDB's id of it: begins with the time it was asked for, so that a later one is greater. */
  id: string;
  type: 'full' | 'incremental';
  tableArn: string;
  /** What the table was like then (ISO 8601, UTC, with milliseconds). */
  time: string;
  /** The time for which it was scheduled, which is in its prefix; else its time in whole seconds. */
  scheduled: string;
  /** Since when an incremental export has the changes. */
  from?: string | undefined;
  itemCount: number;
  /** Those that have items. */
  files: readonly DataFile[];
}

/** A folder is not what was expected. The message is for whoever named it. */
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
 * The exports of one table in a folder, at whatever depth, in the order of their times.
 *
 * @param notice Is told what is left out.
 * @throws ExportError when there is none, or one is not as its manifest says.
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
      notice(`The export ${basename(parentPath)} is not complete, and left out.`);
  }
  const read = found
    .filter(({ name }) => name === MANIFEST_SUMMARY)
    .filter(({ parentPath }) => existsSync(join(parentPath, MANIFEST_FILES)))
    .map(({ parentPath }) => readExport(parentPath));
  // A copy of an export is that export.
  const exports = [...new Map(read.map((each) => [each.id, each])).values()].sort((a, b) =>
    a.time < b.time || (a.time === b.time && a.id < b.id) ? -1 : 1,
  );
  if (exports.length === 0) {
    throw new ExportError(
      `${folder} has no complete export of DynamoDB: expected ${MANIFEST_SUMMARY} and ${MANIFEST_FILES}, and a folder data, in it or in a folder below.`,
    );
  }
  const tables = [...new Set(exports.map(({ tableArn }) => tableArn))];
  if (tables.length > 1) {
    throw new ExportError(
      `${folder} has exports of several tables; name the folder of one. They are: ${tables.join(', ')}`,
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
      `The export in ${folder} has the format ${summary.outputFormat}; expected DYNAMODB_JSON, which DynamoDB writes unless told otherwise.`,
    );
  }
  const listed = lines.reduce((sum, { itemCount }) => sum + itemCount, 0);
  if (listed !== summary.itemCount) {
    throw new ExportError(
      `The export in ${folder} has ${summary.itemCount} items by ${MANIFEST_SUMMARY}, and ${listed} by ${MANIFEST_FILES}. Fetch it again.`,
    );
  }
  const isFull = summary.exportType === 'FULL_EXPORT';
  const time = isFull ? summary.exportTime : summary.exportToTime;
  if (time === undefined)
    throw new ExportError(`${join(folder, MANIFEST_SUMMARY)} does not say of which time it is.`);
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
  if (Number.isNaN(Date.parse(time))) throw new ExportError(`"${time}" in ${folder} is no time.`);
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
    const places = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'no JSON');
    throw new ExportError(
      `${path} is not a manifest of DynamoDB. Missing or malformed: ${places.join(', ')}`,
    );
  });
}

/** The key in S3 has a prefix that a copy need not have. */
function dataFile(folder: string, key: string): string {
  const candidates = [folder, dirname(folder)].map((parent) => join(parent, 'data', basename(key)));
  const path = candidates.find(existsSync);
  if (path === undefined)
    throw new ExportError(`The export in ${folder} lacks its file ${basename(key)}. Fetch it again.`);
  return path;
}
