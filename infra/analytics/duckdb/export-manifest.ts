import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { type DataFile, type Export, ExportError, shortTime } from './export.ts';

export const MANIFEST_SUMMARY = 'manifest-summary.json';
export const MANIFEST_FILES = 'manifest-files.json';

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

const FilesLine = v.object({ itemCount: v.number(), md5Checksum: v.string(), dataFileS3Key: v.string() });

/** An export in another format than DynamoDB JSON. */
export class OtherFormatError extends ExportError {
  override name = 'OtherFormatError';
}

/**
 * Reads the manifest summary of an export.
 *
 * @param folder The folder that contains the manifests.
 * @throws ExportError if the summary is malformed, or the export has another format than DynamoDB JSON.
 */
export function readSummary(folder: string): Omit<Export, 'files'> & { itemCount: number } {
  const path = join(folder, MANIFEST_SUMMARY);
  const summary = parse(path, Summary, readFileSync(path, 'utf8'));
  if (summary.outputFormat !== 'DYNAMODB_JSON') {
    throw new OtherFormatError(
      `The export in ${folder} has the format ${summary.outputFormat}: expected DYNAMODB_JSON, the default of DynamoDB.`,
    );
  }
  const isFull = summary.exportType === 'FULL_EXPORT';
  const time = utc(isFull ? summary.exportTime : summary.exportToTime, path);
  return {
    id: summary.exportArn.replace(/^.*\//, ''),
    type: isFull ? 'full' : 'incremental',
    tableArn: summary.tableArn,
    time,
    scheduled: /[^/]+T\d\dZ/.exec(summary.s3Prefix)?.[0] ?? shortTime(time),
    ...(!isFull && { from: utc(summary.exportFromTime, path) }),
    itemCount: summary.itemCount,
  };
}

/**
 * Reads the manifests of an export, and locates its data files.
 *
 * @throws ExportError if a manifest is malformed, or a data file is missing.
 */
export function readManifests(folder: string): Export {
  const summary = readSummary(folder);
  const filesPath = join(folder, MANIFEST_FILES);
  const lines = readFileSync(filesPath, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parse(filesPath, FilesLine, line));
  const listed = lines.reduce((sum, { itemCount }) => sum + itemCount, 0);
  if (listed !== summary.itemCount) {
    throw new ExportError(
      `The export in ${folder} is inconsistent: ${MANIFEST_SUMMARY} counts ${summary.itemCount} items, ${MANIFEST_FILES} ${listed}. Fetch it again.`,
    );
  }
  const files = lines
    .filter(({ itemCount }) => itemCount > 0)
    .map(({ dataFileS3Key, itemCount, md5Checksum }): DataFile => {
      const path = locate(folder, basename(dataFileS3Key));
      return { path, expected: { itemCount, md5Checksum } };
    });
  return { ...summary, files };
}

function parse<S extends v.GenericSchema>(path: string, schema: S, text: string): v.InferOutput<S> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  const issues = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'not JSON');
  throw new ExportError(
    `${path} is not a manifest of a DynamoDB export. Missing or malformed: ${issues.join(', ')}`,
  );
}

function utc(time: string | undefined, manifest: string): string {
  if (time === undefined || Number.isNaN(Date.parse(time)))
    throw new ExportError(`${manifest} does not contain the time of the export.`);
  return new Date(time).toISOString();
}

/** Finds a data file, whose S3 key may have a prefix that a copy lacks. A copy may also be decompressed. */
function locate(folder: string, name: string): string {
  const path = [folder, dirname(folder)]
    .flatMap((parent) => [name, name.replace(/\.gz$/, '')].map((each) => join(parent, 'data', each)))
    .find(existsSync);
  if (path === undefined)
    throw new ExportError(`The data file ${name} of the export in ${folder} is missing. Fetch it again.`);
  return path;
}
