import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import * as v from 'valibot';
import { canonicalId } from '../../../functions/log-export/canonical-id.ts';
import { keyPart } from '../../../functions/reconciliation/bucket.ts';
import { addDays } from '../../../functions/reconciliation/day.ts';
import { linesOf } from '../../analytics/duckdb/lines.ts';
import { CHARGES_PREFIX } from '../../exports/bucket-prefixes.ts';
import type { ErasableSession } from './erasable-session.ts';

interface Options {
  /** Called with the number of objects that were read, and of those to read. */
  onProgress: (read: number, all: number) => void;
  signal: AbortSignal;
}

/**
 * Removes the rows of these sessions from the charges in a bucket.
 *
 * @returns The number of rows.
 */
export async function eraseCharges(
  s3: S3Client,
  bucket: string,
  sessions: readonly ErasableSession[],
  { onProgress, signal }: Options,
): Promise<number> {
  const erased = new Set(sessions.map(({ sessionId }) => canonicalId(sessionId)));
  const keys = (await keysIn(s3, bucket)).filter((key) => sessions.some((session) => mayHold(key, session)));
  let rows = 0;
  for (const [read, key] of keys.entries()) {
    if (signal.aborted) break;
    onProgress(read, keys.length);
    rows += await removeRows(s3, { Bucket: bucket, Key: key }, erased);
  }
  return rows;
}

async function keysIn(client: S3Client, Bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: CHARGES_PREFIX }))
    keys.push(...Contents.map(({ Key = '' }) => Key));
  return keys;
}

/** Whether an object `charges/DAY/SUBACCOUNT.json.gz` may have rows of a session. */
function mayHold(key: string, { charges }: ErasableSession): boolean {
  const [day = '', file = ''] = key.slice(CHARGES_PREFIX.length).split('/');
  if (!charges) return true;
  if (file !== `${keyPart(charges.subAccountId)}.json.gz`) return false;
  // One day more on either side, because the times of the log export may differ from those that were delivered. It is the
  // day of the object that is moved: that of a delivered time may be none of a calendar.
  return addDays(day, 1) >= charges.from && addDays(day, -1) <= charges.to;
}

const Row = v.pipe(v.string(), v.parseJson(), v.object({ SessionId: v.string() }));

/** Removes rows from an object, again if reconciliation replaces it meanwhile. Returns their number. */
async function removeRows(
  s3: S3Client,
  object: { Bucket: string; Key: string },
  erased: ReadonlySet<string>,
): Promise<number> {
  try {
    const { Body, ETag: IfMatch } = await s3.send(new GetObjectCommand(object));
    if (!(Body instanceof Readable)) throw new Error('it has no body');
    const { content, kept, removed } = await withoutRows(Body, erased);
    if (removed === 0) return 0;
    const replacement = { Body: content, IfMatch, Metadata: { rows: String(kept) } };
    await s3.send(new PutObjectCommand({ ...object, ...replacement }));
    return removed;
  } catch (error) {
    if (error instanceof NoSuchKey) return 0;
    if (error instanceof Error && REPLACED.has(error.name)) return removeRows(s3, object, erased);
    throw new Error(`The rows in s3://${object.Bucket}/${object.Key} cannot be erased`, { cause: error });
  }
}

/** The errors of a conditional write whose object has been replaced since it was read. */
const REPLACED: ReadonlySet<string> = new Set(['PreconditionFailed', 'ConditionalRequestConflict']);

async function withoutRows(compressed: Readable, erased: ReadonlySet<string>) {
  const rows = { kept: 0, removed: 0 };
  const chunks: Buffer[] = [];
  await pipeline(
    compressed,
    createGunzip(),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const line of linesOf(source)) {
        const row = v.safeParse(Row, line);
        if (!row.success) throw new Error('a line is not a row');
        if (erased.has(canonicalId(row.output.SessionId))) {
          rows.removed++;
        } else {
          rows.kept++;
          yield `${line}\n`;
        }
      }
    },
    createGzip(),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) chunks.push(chunk);
    },
  );
  return { ...rows, content: Buffer.concat(chunks) };
}
