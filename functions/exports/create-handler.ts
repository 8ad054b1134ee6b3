import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Counters, Log } from '../telemetry.ts';
import type { TableExports } from './table-exports.ts';

interface Dependencies {
  exports: TableExports;
  /** Where the exports are that analysts read; others of the table do not count. */
  destination: { bucket: string; prefix: string };
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/** An export of an earlier point in time may have been made later: the newest is looked for among so many. */
const CANDIDATES = 3;

/**
 * Measures on a schedule how old the newest complete export is, as the metric ExportAge; while there is none, how old the
 * table is. DynamoDB tells nobody when an export that it accepted fails.
 */
export function createHandler({ exports, destination, now, logger, metrics }: Dependencies) {
  /** The point in time that the newest complete export shows, in milliseconds since 1970. */
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
    // The last part of an ARN begins with the time of the request.
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
