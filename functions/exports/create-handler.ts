import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Counters, Log } from '../telemetry.ts';
import type { TableExports } from './table-exports.ts';

interface Dependencies {
  exports: TableExports;
  /** Where the stage's own exports are; other exports of the table are ignored. */
  destination: { bucket: string; prefix: string };
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/** How many of the last exports to compare: a later export may show an earlier point in time. */
const CANDIDATES = 3;

/**
 * Measures the age of the newest complete export, or of the table if there is none, as the metric ExportAge. Runs on a
 * schedule, because DynamoDB does not notify anyone when an export that it accepted fails.
 */
export function createHandler({ exports, destination, now, logger, metrics }: Dependencies) {
  /** The latest point in time that a complete export shows, in milliseconds since 1970. */
  async function newestExport(newestFirst: readonly string[]): Promise<number | undefined> {
    const times: number[] = [];
    for (const arn of newestFirst) {
      const { S3Bucket, S3Prefix = '', ExportTime } = await exports.describe(arn);
      const isOurs = S3Bucket === destination.bucket && S3Prefix.startsWith(destination.prefix);
      if (isOurs && ExportTime) times.push(ExportTime.getTime());
      if (times.length === CANDIDATES) break;
    }
    return times.length > 0 ? Math.max(...times) : undefined;
  }

  return async (): Promise<void> => {
    // The last part of an ARN starts with the time of the request, so ARNs sort by time.
    const all = (await exports.list())
      .map(({ ExportArn = '', ExportStatus, ExportType }) => ({ ExportArn, ExportStatus, ExportType }))
      .toSorted((a, b) => (a.ExportArn > b.ExportArn ? -1 : 1));
    const [last] = all;
    if (last?.ExportStatus === 'FAILED') {
      const { FailureCode, FailureMessage } = await exports.describe(last.ExportArn);
      logger.warn('The last export failed', { exportArn: last.ExportArn, FailureCode, FailureMessage });
    }
    const complete = all.filter(
      ({ ExportStatus, ExportType }) => ExportStatus === 'COMPLETED' && ExportType !== 'INCREMENTAL_EXPORT',
    );
    const newest =
      (await newestExport(complete.map(({ ExportArn }) => ExportArn))) ??
      (await exports.tableCreated()).getTime();
    metrics.addMetric('ExportAge', MetricUnit.Seconds, Math.round((now() - newest) / 1_000));
    metrics.publishStoredMetrics();
  };
}
