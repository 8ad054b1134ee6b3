import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { toItem } from '../../../functions/recorder/item.ts';
import { type DatabaseOptions, openSessions } from '../../../infra/analytics/duckdb/session-database.ts';
import { writeExport } from '../../../infra/analytics/duckdb/write-export.ts';

export const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/sessions';

/** Creates an empty temporary folder. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'vss-webhook-export-'));
}

/** Writes a full export of these records to a folder, and returns the folder. */
export async function exportOf(
  records: readonly object[],
  { folder = newFolder(), time = '2026-11-21T02:00:00Z', tableArn = TABLE } = {},
): Promise<string> {
  await writeExport(folder, {
    tableArn,
    items: records.map((record) => JSON.stringify(toItem(record))),
    fileCount: 3,
    time: Date.parse(time),
  });
  return folder;
}

/** Uploads the files in a folder to `s3://BUCKET/PREFIX`. */
export async function upload(s3: S3Client, folder: string, target: string): Promise<void> {
  const { hostname: Bucket, pathname } = new URL(target);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const Key = `${pathname.slice(1)}/${relative(folder, path)}`;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: readFileSync(path) }));
  }
}

/** A change of a record in an incremental export. */
export interface Change {
  sessionId?: string;
  /** The key of a record of another table. */
  orderId?: string;
  /** Microseconds since 1970. */
  written: number;
  /** Undefined if the record was deleted. */
  newImage?: object;
  oldImage?: object;
}

/** Adds an incremental export to a folder, as DynamoDB lays it out. */
export function addIncrement(folder: string, from: string, to: string, changes: readonly Change[]): void {
  const lines = changes.map(({ sessionId, orderId, written, newImage, oldImage }) =>
    JSON.stringify({
      Metadata: { WriteTimestampMicros: { N: String(written) } },
      Keys: toItem({ sessionId, orderId }),
      ...(oldImage && { OldImage: toItem(oldImage) }),
      ...(newImage && { NewImage: toItem(newImage) }),
    }),
  );
  addIncrementOf(lines, { folder, from, to });
}

/** Adds an incremental export with these lines. */
export function addIncrementOf(
  lines: readonly string[],
  { folder, from, to }: { folder: string; from: string; to: string },
): void {
  const id = `${String(Date.parse(to)).padStart(14, '0')}-aaaaaaaa`;
  const data = gzipSync(lines.map((line) => `${line}\n`).join(''));
  mkdirSync(join(folder, 'AWSDynamoDB', 'data'), { recursive: true });
  mkdirSync(join(folder, 'AWSDynamoDB', id), { recursive: true });
  writeFileSync(join(folder, 'AWSDynamoDB', 'data', `${id}.json.gz`), data);
  writeFileSync(
    join(folder, 'AWSDynamoDB', id, 'manifest-files.json'),
    `${JSON.stringify({
      itemCount: lines.length,
      md5Checksum: createHash('md5').update(data).digest('base64'),
      etag: 'etag',
      dataFileS3Key: `exports/AWSDynamoDB/data/${id}.json.gz`,
    })}\n`,
  );
  writeFileSync(
    join(folder, 'AWSDynamoDB', id, 'manifest-summary.json'),
    JSON.stringify({
      version: '2023-08-01',
      exportArn: `${TABLE}/export/${id}`,
      tableArn: TABLE,
      exportFromTime: from,
      exportToTime: to,
      exportType: 'INCREMENTAL_EXPORT',
      outputView: 'NEW_AND_OLD_IMAGES',
      itemCount: lines.length,
      outputFormat: 'DYNAMODB_JSON',
    }),
  );
}

/** Runs queries on the exports in a folder, with the views that they name. Returns rows, notices, and what is incomplete. */
export async function ask<const Q extends Readonly<Record<string, string>>>(
  folder: string,
  queries: Q,
  options: Partial<DatabaseOptions> = {},
) {
  const notices: string[] = [];
  const names = Object.values(queries).join();
  const { connection, incomplete, close } = await openSessions(folder, (text) => notices.push(text), {
    needsHistory: /_history\b|\bexports\b|\bsession_changes\b/.test(names),
    needsCharges: /charge/.test(names),
    ...options,
  });
  try {
    const rows = new Map<string, Record<string, unknown>[]>();
    for (const [name, sql] of Object.entries(queries))
      rows.set(name, (await connection.runAndReadAll(sql)).getRowObjectsJson());
    return { notices, incomplete, rows: (name: keyof Q & string) => rows.get(name) ?? [] };
  } finally {
    close();
  }
}
