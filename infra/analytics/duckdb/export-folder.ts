import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { OTHER_PREFIXES } from '../../exports/bucket-prefixes.ts';
import { isDataFile, typeOfDataFile } from './data-file.ts';
import { type Export, ExportError, shortTime } from './export.ts';
import {
  MANIFEST_FILES,
  MANIFEST_SUMMARY,
  OtherFormatError,
  readManifests,
  readSummary,
} from './export-manifest.ts';
import type { Notice } from './notice.ts';

/**
 * Reads the exports of one table in a folder, at any depth, ordered by time. DynamoDB writes the manifests to
 * `AWSDynamoDB/ID/`, the data of a full export to `AWSDynamoDB/ID/data/`, and that of an incremental one to
 * `AWSDynamoDB/data/`.
 *
 * An export that is broken, incomplete or in another format is left out if the state of the table does not depend on
 * it. If the folder has no manifest, its data files count as one export, which cannot be checked.
 *
 * @param notice Receives a message about each export that is left out or cannot be checked.
 * @param asOf The time (ISO 8601) of the state of the table that is needed, beside the newest one. Default: now.
 * @throws ExportError if there is no export, or the newest one is broken.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
 */
export function readExports(folder: string, notice: Notice, asOf?: string): Export[] {
  if (!existsSync(folder)) throw new ExportError(`${folder} does not exist.`);
  if (!statSync(folder).isDirectory())
    throw new ExportError(`${folder} is a file: expected the folder of an export.`);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !isOther(`${relative(folder, entry.parentPath)}/`),
  );
  const exports = entries.some(isManifest)
    ? readManifestFolders(entries, notice, asOf)
    : readDataFiles(entries, notice);
  if (exports.length === 0) {
    throw new ExportError(
      `${folder} contains no complete DynamoDB export: expected ${MANIFEST_SUMMARY}, ${MANIFEST_FILES} and a folder "data" in it or in a subfolder.`,
    );
  }
  assertOneTable(folder, exports);
  return exports;
}

/** What the bucket contains beside the exports. */
const isOther = (path: string) =>
  OTHER_PREFIXES.some((prefix) => path.replaceAll(sep, '/').startsWith(prefix));

const isManifest = ({ name }: Dirent) => name === MANIFEST_SUMMARY || name === MANIFEST_FILES;

function readManifestFolders(
  entries: readonly Dirent[],
  notice: (text: string) => void,
  asOf?: string,
): Export[] {
  const started = entries.filter((entry) => isManifest(entry) || entry.name === '_started');
  const folders = [...new Set(started.map(({ parentPath }) => parentPath))];
  const exports: Export[] = [];
  const broken: { folder: string; error: ExportError }[] = [];
  for (const folder of folders) {
    if (![MANIFEST_SUMMARY, MANIFEST_FILES].every((name) => existsSync(join(folder, name)))) {
      notice(`Ignored the export ${basename(folder)}: it is incomplete.`);
      continue;
    }
    try {
      exports.push(readManifests(folder));
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      broken.push({ folder, error });
    }
  }
  const ordered = uniqueByTime(exports);
  const newest = ordered.findLast(({ type, time }) => type === 'full' && time <= (asOf ?? time));
  for (const { folder, error } of broken) {
    const isNeeded = !newest || !(error instanceof OtherFormatError || isCovered(folder, newest));
    if (isNeeded) throw error;
    notice(`Ignored an export that is not needed. ${error.message}`);
  }
  return ordered;
}

/** Whether a full export shows at least the point in time of a broken one. */
function isCovered(folder: string, full: Export): boolean {
  try {
    return readSummary(folder).time <= full.time;
  } catch {
    // Without a readable time, that of the request tells: a later point in time cannot be exported earlier.
    const id = basename(folder);
    return EXPORT_ID.test(id) && id < full.id;
  }
}

/** Milliseconds since 1970, and random characters. */
const EXPORT_ID = /^\d{14}-/;

/** Orders exports by time. Copies of an export count once. */
function uniqueByTime(exports: readonly Export[]): Export[] {
  const unique = new Map(exports.map((each) => [each.id, each]));
  return [...unique.values()].toSorted((a, b) =>
    a.time < b.time || (a.time === b.time && a.id < b.id) ? -1 : 1,
  );
}

/** Reads data files without a manifest as one export. */
function readDataFiles(entries: readonly Dirent[], notice: Notice): Export[] {
  const files = entries
    .filter(({ name }) => isDataFile(name))
    .map(({ name, parentPath }) => ({ path: join(parentPath, name), folder: parentPath }))
    .map((file) => ({ ...file, type: typeOfDataFile(file.path) }))
    .filter(({ type }) => type !== 'none');
  const { folder, type } = files.find((file) => file.type !== undefined) ?? {};
  if (folder === undefined || (type !== 'full' && type !== 'incremental')) return [];
  const odd = files.find((file) => file.folder !== folder || file.type !== type);
  if (odd !== undefined) {
    throw new ExportError(
      `${odd.path}: without ${MANIFEST_SUMMARY} and ${MANIFEST_FILES}, expected only data files of one export, in one folder.`,
    );
  }
  notice(`${folder} has no manifest. Whether its data files are complete cannot be checked.`, {
    data: 'sessions',
    text: 'The export has no manifest, so nothing tells whether all of its files are there. Without one of them, all numbers are too low.',
  });
  const id = folder.split(sep).findLast((name) => EXPORT_ID.test(name));
  const newest = Math.max(...files.map(({ path }) => statSync(path).mtimeMs));
  const time = new Date(id === undefined ? newest : Number(id.slice(0, 14))).toISOString();
  return [{ id: id ?? basename(folder), type, time, scheduled: shortTime(time), files }];
}

function assertOneTable(folder: string, exports: readonly Export[]): void {
  const tables = [...new Set(exports.map(({ tableArn }) => tableArn))];
  if (tables.length > 1) {
    throw new ExportError(
      `${folder} contains exports of several tables: ${tables.join(', ')}. Name a folder with the exports of one.`,
    );
  }
}
