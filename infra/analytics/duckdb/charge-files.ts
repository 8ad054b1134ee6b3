import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import * as v from 'valibot';
import { CHARGES_PREFIX, EXPORTS_PREFIX } from '../../exports/bucket-prefixes.ts';
import { CHARGE_FIELDS } from '../charges/charge-fields.ts';
import { literalFiles } from '../dialect.ts';
import { isCompressed, isDataFile } from './data-file.ts';
import { linesOf } from './lines.ts';
import type { Incomplete, Notice } from './notice.ts';

export const CHARGES_FOLDER = CHARGES_PREFIX.replace('/', '');
const EXPORTS = EXPORTS_PREFIX.replace('/', '');

/** The file of a day and a sub-account. Its folder is named for the day. */
const CHARGE_FILE = /^\d{4}-\d\d-\d\d$/;

const REMEDY =
  'Fetch it again. If it is damaged in the bucket too, npx vss-webhook reconcile --again replaces it.';

/**
 * Finds the files of charges that belong to a folder of exports: in its subfolder `charges` or, if it is named
 * `exports`, in the folder `charges` beside it. A file that is empty, or has no line that is a JSON object, is left out.
 *
 * @param notice Receives a message about each file that is left out or contains lines that are not rows.
 */
export async function readableChargeFiles(folder: string, notice: Notice): Promise<readonly string[]> {
  const readable: string[] = [];
  for (const path of chargeFilesIn(chargesFolder(folder))) {
    const name = relative(dirname(dirname(dirname(path))), path);
    const lines = statSync(path).size === 0 ? undefined : await countLines(path);
    if (lines === undefined || (lines.all > 0 && lines.broken === lines.all)) {
      notice(
        `Ignored the charges in ${name}: the file is empty, truncated or damaged. ${REMEDY}`,
        without(path, 'The charges'),
      );
      continue;
    }
    if (lines.broken > 0)
      notice(
        `Ignored ${lines.broken} of ${lines.all} lines of ${name}: they are not JSON objects. ${REMEDY}`,
        without(path, `${lines.broken} of ${lines.all} charges`),
      );
    if (lines.all > 0) readable.push(path);
  }
  return readable;
}

/** What readers of costs have to know about a file that is damaged. */
function without(path: string, missing: string): Incomplete {
  const day = basename(dirname(path));
  const subAccount = basename(path)
    .replace(/\.json(\.gz)?$/, '')
    .replaceAll('(amp)', '&');
  return {
    data: 'charges',
    from: day,
    to: day,
    text: `${missing} of sub-account ${subAccount} are missing, because their file is damaged. The costs of this day (UTC) are too low.`,
  };
}

/** The folder of the charges that belong to a folder of exports, whether it exists or not. */
function chargesFolder(exports: string): string {
  const inside = join(exports, CHARGES_FOLDER);
  const isBeside = basename(resolve(exports)) === EXPORTS && !existsSync(inside);
  return isBeside ? join(exports, '..', CHARGES_FOLDER) : inside;
}

/** The files of charges in a folder `charges`. */
export function chargeFilesIn(charges: string): string[] {
  if (!existsSync(charges)) return [];
  return readdirSync(charges, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isDataFile(entry.name))
    .filter(({ parentPath }) => CHARGE_FILE.test(relative(charges, parentPath).split(sep).join('/')))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

/** The relation with the rows of charges: the columns of `CHARGE_FIELDS`, and `day`, the UTC day of the file. */
export function chargeRows(files: readonly string[]): string {
  if (files.length === 0) {
    const none = [...CHARGE_FIELDS, 'day'].map((name) => `NULL::varchar AS ${name}`);
    return `SELECT ${none.join(', ')} LIMIT 0`;
  }
  const columns = CHARGE_FIELDS.map((name) => `${name}: 'VARCHAR'`).join(', ');
  const read = [...Map.groupBy(files, (path) => (isCompressed(path) ? 'gzip' : 'uncompressed'))].map(
    ([compression, group]) =>
      `FROM read_json(${literalFiles(group)}, format = 'newline_delimited', records = true, ignore_errors = true, filename = true, compression = '${compression}', columns = {${columns}})`,
  );
  return `SELECT * EXCLUDE (filename), regexp_extract(filename, '(\\d{4}-\\d\\d-\\d\\d)[/\\\\][^/\\\\]+$', 1) AS day FROM (${read.join(' UNION ALL ')})`;
}

/**
 * Counts the lines of a file, and those that are not JSON objects, such as one that is cut off. Undefined if the file
 * cannot be decompressed.
 */
async function countLines(path: string): Promise<{ all: number; broken: number } | undefined> {
  const lines = { all: 0, broken: 0 };
  const decompress = isCompressed(path) ? createGunzip() : new PassThrough();
  try {
    await pipeline(createReadStream(path), decompress, async (source: AsyncIterable<Buffer>) => {
      for await (const line of linesOf(source)) {
        const text = line.trim();
        if (text === '') continue;
        lines.all++;
        if (!isRow(text)) lines.broken++;
      }
    });
  } catch {
    return undefined;
  }
  return lines;
}

/** Whether DuckDB reads a line as a row. It drops one with two objects, which only parsing tells from a text with `}{`. */
function isRow(line: string): boolean {
  if (!line.startsWith('{') || !line.endsWith('}')) return false;
  return !line.includes('}{') || v.is(JsonText, line);
}

const JsonText = v.pipe(v.string(), v.parseJson());
