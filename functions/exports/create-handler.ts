import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ExportSummary } from '@aws-sdk/client-dynamodb';
import type { Counters, Log } from '../telemetry.ts';
import type { TableExports } from './table-exports.ts';

interface Dependencies {
  exports: TableExports;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/** An export of an earlier point in time may have been made later: of so many the newest is looked for. */
const DESCRIBED = 10;

/**
 * Measures on a schedule how old the newest complete export is, as the metric ExportAge: DynamoDB tells nobody when an
 * export that it accepted fails.
 */
export function createHandler({ exports, now, logger, metrics }: Dependencies) {
  /** The point in time that the newest complete export shows; or when the first one was requested, while none is complete. */
  async function newestData(newestFirst: readonly ExportSummary[]): Promise<number | undefined> {
    const complete = newestFirst
      .filter(({ ExportStatus }) => ExportStatus === 'COMPLETED')
      .slice(0, DESCRIBED);
    const times = await Promise.all(
      arnsOf(complete).map(async (arn) => (await exports.describe(arn)).ExportTime?.getTime() ?? 0),
    );
    if (times.length > 0) return Math.max(...times);
    const [first] = arnsOf(newestFirst.slice(-1));
    return first === undefined ? undefined : (await exports.describe(first)).StartTime?.getTime();
  }

  /** Logs why the last export failed, unless another one is complete since. */
  async function explainFailure([last]: readonly ExportSummary[]): Promise<void> {
    if (last?.ExportStatus !== 'FAILED') return;
    for (const exportArn of arnsOf([last])) {
      const { FailureCode, FailureMessage } = await exports.describe(exportArn);
      logger.warn('The last export failed', { exportArn, FailureCode, FailureMessage });
    }
  }

  return async (): Promise<void> => {
    // The last part of an ARN begins with the time of the request.
    const newestFirst = (await exports.list()).toSorted((a, b) =>
      `${a.ExportArn}` > `${b.ExportArn}` ? -1 : 1,
    );
    await explainFailure(newestFirst);
    const newest = await newestData(newestFirst);
    if (newest === undefined) return;
    metrics.addMetric('ExportAge', MetricUnit.Seconds, Math.round((now() - newest) / 1_000));
    metrics.publishStoredMetrics();
  };
}

function arnsOf(summaries: readonly ExportSummary[]): string[] {
  return summaries.flatMap(({ ExportArn }) => (ExportArn === undefined ? [] : [ExportArn]));
}
