import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Counters, Log } from '../telemetry.ts';
import { type DueExport, dueExports, type ExportSchedule, shownThrough } from './due-exports.ts';
import type { TableExports } from './table-exports.ts';

interface Dependencies {
  exports: TableExports;
  schedule: ExportSchedule;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/**
 * Starts the exports that are due, and measures the age of the exported data: the metric ExportAge, which is the age of
 * the table if no export is complete. It runs every hour, because DynamoDB reports a failed export only to those who
 * ask.
 */
export function createHandler({ exports, schedule, now, logger, metrics }: Dependencies) {
  async function start(due: DueExport, attempt: number): Promise<void> {
    try {
      await exports.start(due, attempt);
    } catch (error) {
      // Point-in-time recovery does not cover the changes, as it was disabled. A full export contains them.
      if (due.type === 'full' || !isInvalidTime(error)) throw error;
      logger.warn('An incremental export is not possible; starting a full one', { error });
      await exports.start({ type: 'full', to: due.to }, attempt);
    }
  }

  return async (): Promise<void> => {
    const all = await exports.list();
    const [last] = all;
    if (last?.status === 'failed')
      logger.warn('The last export failed', { exportArn: last.arn, ...last.failure });
    const complete = all.filter(({ status }) => status === 'complete');
    const shown = shownThrough(complete) ?? (await exports.tableCreated()).getTime();
    metrics.addMetric('ExportAge', MetricUnit.Seconds, Math.round((now() - shown) / 1_000));

    const underWay = all.filter(({ status }) => status !== 'failed');
    try {
      for (const due of dueExports(underWay, now(), schedule)) await start(due, all.length - underWay.length);
      metrics.addMetric('ExportsRefused', MetricUnit.Count, 0);
    } catch (error) {
      metrics.addMetric('ExportsRefused', MetricUnit.Count, 1);
      logger.error('An export could not be started', { error });
    }
    metrics.publishStoredMetrics();
  };
}

function isInvalidTime(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidExportTimeException';
}
