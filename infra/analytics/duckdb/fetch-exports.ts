import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { awsSettings } from '../../aws/aws-settings.ts';
import type { Context } from '../../commands/command-line/command.ts';
import { CHARGES_PREFIX, EXPORTS_PREFIX, OTHER_PREFIXES } from '../../exports/bucket-prefixes.ts';
import { print, progress } from '../../terminal/output.ts';
import { counted } from '../report/wording.ts';
import { ExportError } from './export.ts';
import { neededObjects } from './needed-objects.ts';
import { fetchFile, listFiles, type RemoteFile } from './remote-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What to fetch from S3. */
export interface FetchRequest {
  bucket: string;
  prefix: string;
  /** Whether objects are kept for the next command. */
  isCached: boolean;
  /** Whether exports are needed that do not contribute to the newest state of the table. */
  needsHistory: boolean;
  /** A time (ISO 8601) whose state of the table is needed, beside the newest one. */
  asOf?: string | undefined;
  /** Whether the charges are needed. */
  needsCharges: boolean;
}

/** The number of objects that are fetched concurrently. */
const CONCURRENCY = 8;

/**
 * Fetches the exports under a prefix, and the charges that belong to them. A cached file that has the size and the time
 * of its object is not fetched again. Cached files whose object no longer exists are deleted, because they contain
 * personal data.
 *
 * @returns The folder that contains them.
 * @throws ExportError if there are no objects.
 */
export async function fetchExports(request: FetchRequest, context: Context): Promise<string> {
  const { bucket, prefix, isCached } = request;
  const { stderr } = context;
  const folder = isCached ? cacheFolder(bucket, prefix, context.env) : temporaryFolder();
  const s3 = new S3Client((await awsSettings(context))('s3'));
  const { exports, charges } = await listSource(s3, request, folder);
  deleteOthers(folder, new Set([...exports, ...charges].map(({ path }) => path)));
  if (exports.length === 0) throw new ExportError(`Found no objects in s3://${bucket}/${prefix}.`);
  const needed = [
    ...(request.needsHistory ? exports : neededObjects(exports, request.asOf)),
    ...(request.needsCharges ? charges : []),
  ];
  const missing = needed.filter((file) => !isFetched(file));
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  if (missing.length > 0)
    print(
      stderr,
      `Fetching ${counted(missing.length, 'object')}, ${megabytes(total)}, from s3://${bucket}/${prefix} …`,
    );
  let fetched = 0;
  const queue = missing.values();
  const fetchAll = async () => {
    for (const file of queue) {
      await fetchFile(s3, bucket, file);
      fetched += file.size;
      progress(stderr, `${megabytes(fetched)} of ${megabytes(total)}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, fetchAll));
  } finally {
    // If an object cannot be fetched, the other loops must not fetch the rest.
    missing.length = 0;
    progress(stderr);
    s3.destroy();
  }
  return folder;
}

/** The folder of a prefix in the cache, which only this user can read. */
function cacheFolder(bucket: string, prefix: string, env: NodeJS.ProcessEnv): string {
  const root = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'vss-webhook');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  return join(root, bucket, `prefix-${encodeURIComponent(prefix)}`);
}

/**
 * Lists the exports under a prefix, and the charges: if the prefix is that of all exports, those beside them; if it is
 * the whole bucket, those in it.
 */
async function listSource(s3: S3Client, { bucket, prefix }: FetchRequest, folder: string) {
  const found = await listFiles(s3, { bucket, prefix }, folder);
  const exports = found.filter(({ key }) => !OTHER_PREFIXES.some((other) => key.startsWith(other)));
  const isAll = prefix === '' || `${prefix}/`.replace('//', '/') === EXPORTS_PREFIX;
  const charges = isAll ? await listFiles(s3, { bucket, prefix: CHARGES_PREFIX }, folder) : [];
  return { exports, charges };
}

const HOUR = 3_600_000;

function deleteOthers(folder: string, kept: ReadonlySet<string>): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // Another command may be writing a partial file, or may just have deleted or renamed one.
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const isBeingWritten = path.endsWith('.part') && Date.now() - modified < HOUR;
    if (entry.isFile() && !kept.has(path) && !isBeingWritten) rmSync(path, { force: true });
  }
}

function isFetched({ path, size, modified }: RemoteFile): boolean {
  const existing = statSync(path, { throwIfNoEntry: false });
  return existing?.size === size && existing.mtimeMs === modified.getTime();
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
