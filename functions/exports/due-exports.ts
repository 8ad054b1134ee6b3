/** An export of the table. Times are in milliseconds since 1970. */
export interface TableExport {
  type: 'full' | 'incremental';
  status: 'complete' | 'running' | 'failed';
  /** The start of the changes that an incremental export contains. */
  from?: number;
  /** The point in time that a full export shows, or the end of the changes. */
  to: number;
}

/** An export to start. Its times are full hours, because Athena's partitions are. */
export type DueExport = { type: 'full'; to: number } | { type: 'incremental'; from: number; to: number };

/** When exports are due. */
export interface ExportSchedule {
  /** The hour of the day, in UTC. */
  hour: number;
  /** Days from one full export to the next, with an incremental one on each day between. */
  fullExportDays: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** DynamoDB exports only up to its latest restorable time, which is about five minutes ago. */
const RESTORE_LAG = HOUR / 6;

/** Changes are available for 35 days (point-in-time recovery). After a longer gap, a full export is due. */
const MAX_GAP = 34 * DAY;

/** The longest incremental export that DynamoDB accepts, in hours. */
const MAX_HOURS = 24;

/**
 * The point in time through which exports show every change: that of the newest full export, extended by each
 * incremental one that starts before the end of the chain. Undefined without a full export.
 */
export function shownThrough(exports: readonly TableExport[]): number | undefined {
  const newestFull = newestFullOf(exports);
  if (newestFull === undefined) return undefined;
  return exports
    .filter(({ type }) => type === 'incremental')
    .toSorted((a, b) => a.to - b.to)
    .reduce(
      (end, { from = Number.POSITIVE_INFINITY, to }) => (from <= end ? Math.max(end, to) : end),
      newestFull,
    );
}

function newestFullOf(exports: readonly TableExport[]): number | undefined {
  const times = exports.filter(({ type }) => type === 'full').map(({ to }) => to);
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * Determines which exports to start. Incremental ones continue where the chain ends, so an export that failed or was
 * never started leaves no gap: the next run makes up for it.
 *
 * @param exports The exports that are complete or running.
 */
export function dueExports(
  exports: readonly TableExport[],
  now: number,
  { hour, fullExportDays }: ExportSchedule,
): DueExport[] {
  const lastHour = latestHour(now);
  const slotOf = (time: number) => floorTo(DAY, time - hour * HOUR) + hour * HOUR;
  const slot = slotOf(lastHour);
  const newestFull = newestFullOf(exports);
  const end = shownThrough(exports);
  if (newestFull === undefined || end === undefined || now - end > MAX_GAP)
    return [{ type: 'full', to: lastHour }];
  if (slot - slotOf(newestFull) >= fullExportDays * DAY) return [{ type: 'full', to: slot }];
  return windows(floorTo(HOUR, end), slot);
}

/** The latest full hour of which DynamoDB can export the table. */
export function latestHour(now: number): number {
  return floorTo(HOUR, now - RESTORE_LAG);
}

/** Divides a period of whole hours into windows that DynamoDB accepts, of about the same length. */
function windows(from: number, to: number): DueExport[] {
  const hours = (to - from) / HOUR;
  const count = Math.ceil(hours / MAX_HOURS);
  const boundary = (i: number) => from + Math.ceil((hours * i) / count) * HOUR;
  return Array.from({ length: count }, (_, i) => ({
    type: 'incremental',
    from: boundary(i),
    to: boundary(i + 1),
  }));
}

function floorTo(unit: number, time: number): number {
  return Math.floor(time / unit) * unit;
}
