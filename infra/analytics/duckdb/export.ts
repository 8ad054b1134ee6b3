/** An export of the table, as DynamoDB writes it to S3. */
export interface Export {
  /** The id that DynamoDB assigned. It starts with the time of the request, so a later one is greater. */
  id: string;
  type: 'full' | 'incremental';
  /** Undefined without a manifest. */
  tableArn?: string;
  /** The point in time that the export shows, or the end of its changes (ISO 8601, UTC, with milliseconds). */
  time: string;
  /** The time for which the export was scheduled, which is part of its prefix; otherwise `time` in whole seconds. */
  scheduled: string;
  /** The start of the changes in an incremental export. Undefined without a manifest. */
  from?: string;
  /** Undefined without a manifest. */
  itemCount?: number;
  /** The files that contain items. */
  files: readonly DataFile[];
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
