/** An export of the table, as DynamoDB writes it to S3. */
export interface Export {
  /** The id that DynamoDB assigned. It starts with the time of the request, so a later one is greater. */
  id: string;
  type: 'full' | 'incremental';
  /** Undefined without a manifest. */
  tableArn?: string;
  /** The point in time that the export shows, or the end of its changes (ISO 8601, UTC, with milliseconds). */
  time: string;
  /** The hour for which the export was scheduled, which is part of its prefix; otherwise `time`, shortened. */
  scheduled: string;
  /** The start of the changes in an incremental export. Undefined without a manifest. */
  from?: string;
  /** Undefined without a manifest. */
  itemCount?: number;
  /** The files that contain items. */
  files: readonly DataFile[];
}

/** A time as in the prefix of an export: `2026-11-21T02Z` for a full hour, otherwise `2026-11-21T02:13:05Z`. */
export function shortTime(time: string): string {
  return time.replace(/(:00:00)?\.\d+Z$/, 'Z');
}

export interface DataFile {
  path: string;
  /** What the manifest specifies. Undefined without a manifest. */
  expected?: { itemCount: number; md5Checksum: string };
}

/** A folder does not contain what was expected. The message addresses the person who named the folder. */
export class ExportError extends Error {
  override name = 'ExportError';
}
