import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Counters, Log } from '../telemetry.ts';
import { type DueExport, dueExports, type ExportSchedule, latestHour, shownThrough } from './due-exports.ts';
import type { ListedExport, TableExports } from './table-exports.ts';

interface Dependencies {
  exports: TableExports;
  schedule: ExportSchedule;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/**
 * Starts the exports that are due, and measures the age of the exported data: the metric ExportAge. If no export is
 * complete, it is the age of the table, and the metric NoCompleteExport is published. It runs every hour, because DynamoDB
 * reports a failed export only to those who ask.
 */
export function createHandler({ exports, schedule, now, logger, metrics }: Dependencies) {
  async function startAll(due: readonly DueExport[], latest: number, attempt: string): Promise<void> {
    try {
      for (const each of due) await exports.start(each, attempt);
    } catch (error) {
      const isLatest = due.some(({ type, to }) => type === 'full' && to === latest);
      if (!isInvalidTime(error) || isLatest) throw error;
      // Point-in-time recovery was disabled, and covers only the time since then. A full export contains all changes.
      logger.warn('An export of that time is not possible; starting a full one of now', { error });
      await exports.start({ type: 'full', to: latest }, attempt);
    }
  }

  return async (): Promise<void> => {
    const time = now();
    const all = await exports.list();
    const [last] = all;
    if (last?.status === 'failed')
      logger.warn('The last export failed', { exportArn: last.arn, ...last.failure });
    const complete = all.filter(({ status }) => status === 'complete');
    const shown = shownThrough(complete);
    const since = shown ?? (await exports.tableCreated()).getTime();
    metrics.addMetric('ExportAge', MetricUnit.Seconds, Math.round((time - since) / 1_000));
    // CloudWatch charges for a metric while it is published: for this one, only until the first export is complete.
    if (shown === undefined) metrics.addMetric('NoCompleteExport', MetricUnit.Count, 1);

    const due = dueExports(
      all.filter(({ status }) => status !== 'failed'),
      time,
      schedule,
    );
    const lastFailed = all.find(({ status }) => status === 'failed');
    try {
      await startAll(due, latestHour(time), lastFailed ? `after-${idOf(lastFailed)}` : 'first');
      metrics.addMetric('ExportsRefused', MetricUnit.Count, 0);
    } catch (error) {
      metrics.addMetric('ExportsRefused', MetricUnit.Count, 1);
      logger.error('An export could not be started', { error });
    }
    metrics.publishStoredMetrics();
  };
}

const idOf = ({ arn }: ListedExport) => arn.slice(arn.lastIndexOf('/') + 1);

function isInvalidTime(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidExportTimeException';
}
